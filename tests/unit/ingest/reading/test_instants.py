from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from services.ingest.reading.instants import Instants, slow_ms

_ZONES = st.builds(
    lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-23 * 60 - 59, 23 * 60 + 59)
) | st.just(UTC)
_FRACTIONS = st.from_regex(r"(\.[0-9]{1,9})?", fullmatch=True)


@st.composite
def _texts(draw: st.DrawFn) -> str:
    at = draw(st.datetimes(timezones=_ZONES)).replace(microsecond=0)
    text = at.isoformat(sep=draw(st.sampled_from("Tt ")))
    head, zone = text[:19], text[19:]
    zone = draw(st.sampled_from("Zz")) if zone == "+00:00" and draw(st.booleans()) else zone
    return head + draw(_FRACTIONS) + zone


def _slow(text: str) -> int | None:
    try:
        return slow_ms(text)
    except ValueError:
        return None


def _fast(instants: Instants, text: str) -> int | None:
    try:
        return instants.ms(text)
    except ValueError:
        return None


@given(st.lists(_texts() | st.text(alphabet="0123456789-+:.TZtz \n２", max_size=30), max_size=8))
@example(["2026-11-23T24:00:00Z", "2026-11-23T24:00:00.5Z"])
@example(["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
@example(["0001-01-02T23:59:59Z", "0001-01-03T00:00:00Z", "9999-12-29T00:00:00Z", "9999-12-29T00:00:01Z"])
@example(["2026-11-23T09:30:00Z", "2026-11-23T09:30:00Z\n"])
@example(["2026-11-23T09:30:00.123Z", "2026-11-23T09:30:00.123456.123Z"])
@example(["2026-11-23T09:30:00+08:00", "2026-11-23T09:30:00.123456+08:00", "2026-11-23T09:30:00.1234567+08:00"])
@example(["2026-02-30T09:30:00Z", "2026-11-23T09:30:60Z", "2026-11-23T09:30:00+24:00"])
def test_the_quick_way_reads_what_the_slow_one_does(texts: list[str]) -> None:
    instants = Instants()
    assert [_fast(instants, text) for text in texts] == [_slow(text) for text in texts]
    assert [_fast(instants, text) for text in texts] == [_slow(text) for text in texts], "from its caches"


def test_many_at_once_are_read_alike_or_refused() -> None:
    instants = Instants()
    texts = ["2026-11-23T09:30:00.250Z", "2026-11-23T17:30:00.250999+08:00"]
    assert instants.all_ms(texts) == [1_795_426_200_250] * 2
    with pytest.raises(ValueError, match="RFC 3339"):
        instants.all_ms([*texts, "2026-11-23"])


def test_times_are_cut_to_the_millisecond() -> None:
    begin = int(datetime(2026, 11, 23, 9, 30, tzinfo=UTC).timestamp()) * 1000
    assert Instants().ms("2026-11-23T09:30:00.999999999Z") == begin + 999


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.reading.instants._LIMIT", 10)
    instants = Instants()
    for second in range(50):
        text = f"2026-11-23T09:30:{second:02}.{second:03}Z"
        assert instants.ms(text) == slow_ms(text)
    assert len(instants._heads) <= 10
    assert len(instants._tails) <= 10
