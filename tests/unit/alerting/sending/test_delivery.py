"""What follows from an answer."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerting.sending.delivery import MAX_RETRY_AFTER_S, Answer, Patience, asked_pause, report
from services.alerting.telling import Due
from tests.unit.alerting.facts import ALERTS, PATIENT, T0_MS

NOW = T0_MS / 1000
DUE = Due(
    webhook_id="ab" * 16,
    alert_id=ALERTS[0],
    number=3,
    change="alert.updated",
    rank=(2, 1),
    decided_ms=T0_MS,
    body="{}",
)


@pytest.mark.parametrize("status", [200, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert Answer(status).delivered


@pytest.mark.parametrize("status", [None, 101, 301, 302, 307, 400, 401, 404, 408, 410, 429, 500, 503])
def test_nothing_else_is_and_only_410_is_for_good(status: int | None) -> None:
    answer = Answer(status, None if status else "timed out")
    assert not answer.delivered
    assert answer.gone == (status == 410)
    assert answer.problem.en == (f"answered {status}" if status else "timed out")


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("0", 0),
        ("7", 7),
        (" 120 ", 120),
        ("999999999999", MAX_RETRY_AFTER_S),
        ("-5", 0),
        ("1.5", 0),
        ("soon", 0),
        ("Mon, 24 Nov 2025 16:00:30 GMT", 30),
        ("Monday, 24-Nov-25 16:00:30 GMT", 30),
        ("Mon Nov 24 16:00:30 2025", 30),
        ("Mon, 24 Nov 2025 15:00:00 GMT", 0),
        ("Mon, 24 Nov 2099 16:00:00 GMT", MAX_RETRY_AFTER_S),
    ],
)
def test_retry_after_in_seconds_and_as_a_date(header: str | None, seconds: float) -> None:
    assert asked_pause(Answer(503, retry_after=header), NOW) == pytest.approx(seconds)


@PATIENT
@given(
    st.text(max_size=60) | st.from_regex(r"\w{3}, \d{1,2} \w{3} \d{1,6} \d\d:\d\d:\d\d [-+]?\w{0,6}", fullmatch=True)
)
def test_any_retry_after_gives_a_sane_pause(header: str) -> None:
    assert 0 <= asked_pause(Answer(429, retry_after=header), NOW) <= MAX_RETRY_AFTER_S


@PATIENT
@given(st.integers(1, 100_000), st.integers())
def test_pauses_are_full_jitter_within_doubling_bounds(attempt: int, seed: int) -> None:
    patience = Patience(base_s=1, cap_s=300)
    assert (
        0
        <= patience.pause(attempt, random.Random(seed).uniform)
        <= min(300, 2 ** (attempt - 1) if attempt < 20 else 300)
    )
    assert patience.pause(attempt, lambda low, _: low) == 0


def test_pauses_reach_their_bounds() -> None:
    bounds = [Patience(base_s=1, cap_s=300).pause(attempt, lambda _, high: high) for attempt in range(1, 12)]
    assert bounds == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_the_deadline_counts_from_the_log() -> None:
    assert Patience(give_up_after_s=3600).deadline(DUE) == NOW + 3600


def test_a_report_is_the_writers_word_number_n() -> None:
    fact = report(1, DUE, "failed", NOW, Answer(410), Answer(410).problem)
    assert (fact.writer, fact.seq, fact.status) == ("alerting:1", 3, None)
    assert fact.delivery is not None
    assert (fact.delivery.webhook_id, fact.delivery.status_code) == (DUE.webhook_id, 410)
    assert (fact.delivery.error, fact.delivery.error_zh) == ("answered 410", "返回 410")
