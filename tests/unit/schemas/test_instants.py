"""A moment: one form, and one that can be shown to people wherever they are."""

import zoneinfo
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from schemas.base import Instant

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
OFFSETS = [timezone(timedelta(hours=hours)) for hours in (-12, -4.5, 0, 8, 14)]
ZONES = [zoneinfo.ZoneInfo(name) for name in ("Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC")]


@given(st.datetimes(timezones=st.sampled_from(OFFSETS)).map(datetime.isoformat))
@example("9999-12-31T23:59:59Z")
@example("0001-01-01T00:00:00+00:00")
def test_every_moment_that_is_read_can_be_shown_in_any_zone(text: str) -> None:
    at = INSTANT.validate_python(text)
    assert all(at.astimezone(zone) == at for zone in ZONES)


def test_for_ever_is_the_last_moment_that_all_zones_have() -> None:
    assert INSTANT.validate_python("9999-12-31T23:59:59Z") == datetime(9999, 12, 29, tzinfo=UTC)
    assert INSTANT.validate_python("0001-01-01T00:00:00+08:00") == datetime(1, 1, 3, tzinfo=UTC)
    assert INSTANT.validate_python("9998-12-31T23:59:59Z").year == 9998
