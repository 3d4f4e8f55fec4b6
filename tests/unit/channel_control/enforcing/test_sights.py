"""When a platform counts as away: after a time without a good answer, and not for refusing single orders."""

import pytest

from services.channel_control.enforcing.reachability import Sights
from services.channel_control.enforcing.reconcile import CONFLICT, FROZEN, Answer, Seen, Trouble

ADS = "ads"
TIMEOUT = Trouble("timeout", "no answer")


def test_nothing_is_known_of_a_platform_that_nobody_called() -> None:
    sights = Sights(60.0)
    assert not sights.is_away(ADS, 1000.0)
    assert not sights.is_there(ADS)


def test_it_is_away_once_it_has_been_silent_for_long_enough() -> None:
    sights = Sights(60.0)
    sights.heard(ADS, Seen(None), 0.0)
    sights.heard(ADS, TIMEOUT, 10.0)
    sights.heard(ADS, Trouble("http_503", "the platform answered 503"), 50.0)
    assert not sights.is_away(ADS, 69.9)
    assert not sights.is_there(ADS)
    assert sights.is_away(ADS, 70.0)
    assert sights.reason(ADS).en == "the platform answered 503"
    assert not sights.is_away("another", 70.0)
    sights.heard(ADS, Seen(None), 80.0)
    assert sights.is_there(ADS)
    sights.heard(ADS, TIMEOUT, 81.0)
    assert not sights.is_away(ADS, 140.9)


@pytest.mark.parametrize(
    "kind", ["timeout", "unreachable", "bad_answer", "rate_limited", "http_401", "http_429", "http_500"]
)
def test_what_says_nothing_about_one_order(kind: str) -> None:
    sights = Sights(60.0)
    sights.heard(ADS, Trouble(kind, "?"), 0.0)
    assert sights.is_away(ADS, 60.0)


@pytest.mark.parametrize(
    "answer", [Seen(None), *(Trouble(kind, "?") for kind in (CONFLICT, "http_422", "no_budget", "no_campaign"))]
)
def test_a_refusal_of_one_order_is_a_sign_of_life(answer: Answer) -> None:
    sights = Sights(60.0)
    sights.heard(ADS, TIMEOUT, 0.0)
    sights.heard(ADS, answer, 30.0)
    assert sights.is_there(ADS)


def test_what_asks_to_be_left_alone_is_until_it_is_over_or_answers() -> None:
    sights = Sights(60.0)
    sights.heard(ADS, Trouble("http_429", "429", 7.0), 10.0)
    assert sights.rests(ADS, 16.9)
    assert not sights.rests(ADS, 17.0)
    assert not sights.rests("another", 11.0)
    sights.heard(ADS, Trouble("http_429", "429", 1e9), 20.0)
    assert not sights.rests(ADS, 20.0 + 3600.0), "an hour at most, whatever it says"
    sights.heard(ADS, Seen(None), 30.0)
    assert not sights.rests(ADS, 30.0)


@pytest.mark.parametrize("kind", [FROZEN, "no_platform", "unmapped", "internal"])
def test_where_nobody_was_asked_nothing_is_learnt(kind: str) -> None:
    sights = Sights(60.0)
    sights.heard(ADS, Trouble(kind, "?"), 0.0)
    assert not sights.is_away(ADS, 100.0)
    sights.heard(ADS, TIMEOUT, 100.0)
    sights.heard(ADS, Trouble(kind, "?"), 120.0)
    assert sights.is_away(ADS, 160.0)
