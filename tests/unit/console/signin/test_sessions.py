"""How long a session lasts, its forms, and where a request comes from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.signin import sessions
from services.console.signin.dangers import DANGEROUS, asked_for, is_confirmed
from services.console.signin.entries import MOST_A_MINUTE, Thinning
from services.console.signin.sealing import MAX_COOKIE, ForgedError, Keys
from services.console.signin.sessions import Limits, Session, SignedOut, is_form_token, is_own_origin, seal, unseal
from services.runtime.ids import derive
from tests.unit.console.samples import audit

LIMITS = Limits(idle_s=3600, longest_s=12 * 3600, fresh_s=900)
KEYS = Keys(["k" * 32])
BEGAN = 1_800_000_000
SESSION = Session(
    session_id=derive("s"), name="li", role="operator", door="password",
    began_s=BEGAN, proved_s=BEGAN, seen_s=BEGAN, checked_s=BEGAN,
)  # fmt: skip


@given(st.lists(st.integers(1, 5000), max_size=40))
def test_however_it_is_used_it_ends_idle_or_at_its_longest(pauses: list[int]) -> None:
    session, now = SESSION, BEGAN
    for pause in pauses:
        now += pause
        over = session.is_over(LIMITS, now)
        assert over == (pause >= LIMITS.idle_s or now - BEGAN >= LIMITS.longest_s)
        if over:
            return
        session = session.seen(now)
        assert session.began_s == BEGAN


def test_a_clock_far_ahead_makes_no_session_that_lasts() -> None:
    assert SESSION.is_over(LIMITS, BEGAN - 3600)
    assert not SESSION.is_over(LIMITS, BEGAN - 5)


def test_it_is_fresh_for_a_while() -> None:
    assert SESSION.is_fresh(LIMITS, BEGAN + 899)
    assert not SESSION.is_fresh(LIMITS, BEGAN + 900)


def test_a_cookie_says_it_all_and_what_is_too_long_goes_without_the_provider() -> None:
    assert unseal(KEYS, seal(KEYS, SESSION, bytes(12))) == SESSION
    known = SESSION.model_copy(update={"refresh": "r" * 1000})
    assert unseal(KEYS, seal(KEYS, known, bytes(12))) == known
    long = seal(KEYS, SESSION.model_copy(update={"refresh": "r" * 4000}), bytes(12))
    assert len(long) <= MAX_COOKIE
    assert unseal(KEYS, long) == SESSION


def test_what_another_release_has_sealed_is_no_session() -> None:
    with pytest.raises(ForgedError):
        unseal(KEYS, KEYS.seal("session", b'{"name": "li"}', bytes(12)))


def test_a_form_is_of_one_session() -> None:
    other = SESSION.model_copy(update={"session_id": derive("t")})
    assert is_form_token(KEYS, SESSION, sessions.form_token(KEYS, SESSION))
    assert not is_form_token(KEYS, other, sessions.form_token(KEYS, SESSION))
    assert not is_form_token(KEYS, SESSION, "")
    turned = Keys(["n" * 32, "k" * 32])
    assert is_form_token(turned, SESSION, sessions.form_token(KEYS, SESSION)), "an open page outlives a change of keys"


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"origin": "http://console:8081", "host": "console:8081"}, True),
        ({"origin": "https://tidegate.bank.example", "host": "inside:8081"}, True),
        ({"origin": "null", "sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"origin": "http://elsewhere", "host": "console:8081"}, False),
        ({"origin": "http://elsewhere", "host": "console:8081", "sec-fetch-site": "same-origin"}, False),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, False),
        ({"origin": "null", "host": ""}, False),
        ({"origin": "", "host": ""}, False),
        ({"host": "console:8081"}, False),
    ],
)
def test_where_a_request_comes_from(headers: dict[str, str], own: bool) -> None:
    assert is_own_origin(headers, "https://tidegate.bank.example") is own


def test_who_has_signed_out_is_known_from_the_audit() -> None:
    known = SignedOut()
    known.fold(audit("c1", what="sign_out", outcome="refused", who="person:li", detail={"session": SESSION.session_id}))
    known.fold(audit("c2", what="pause", outcome="recorded", who="person:li", detail={"session": SESSION.session_id}))
    assert not known.knows(SESSION)
    known.fold(
        audit("c3", what="sign_out", outcome="recorded", who="person:li", detail={"session": SESSION.session_id})
    )
    assert known.knows(SESSION)


def test_signing_out_everywhere_ends_what_was_begun_before() -> None:
    known, record = SignedOut(), audit("c1", what="sign_out", outcome="recorded", who="person:li")
    known.fold(record)
    at = int(record.at.timestamp())
    assert known.knows(SESSION.model_copy(update={"began_s": at - 1}))
    assert not known.knows(SESSION.model_copy(update={"began_s": at + 1}))
    assert not known.knows(SESSION.model_copy(update={"name": "wang", "began_s": at - 1}))


def test_a_name_is_typed_for_what_is_dangerous() -> None:
    assert asked_for("freeze", "channel:douyin") == "douyin"
    assert asked_for("take_down", "promotion:fund-7@douyin") == "fund-7@douyin"
    assert asked_for("automation_off", "automation:all") == "automation"
    for word in DANGEROUS:
        assert not is_confirmed(word, "channel:douyin", "")
        assert not is_confirmed(word, "channel:douyin", "weibo")
    assert is_confirmed("freeze", "channel:douyin", " Douyin ")
    assert is_confirmed("freeze", "channel:douyin", "channel:douyin")
    assert is_confirmed("pause", "channel:douyin", "")


def test_a_flood_of_failures_is_counted_instead_of_written_down() -> None:
    thinning = Thinning()
    let = [thinning.let(0.0) for _ in range(MOST_A_MINUTE + 30)]
    assert let == [0] * MOST_A_MINUTE + [None] * 30
    assert [thinning.let(60.0), thinning.let(60.0)] == [30, 0]
