"""A moment: one form, and one that can be shown to people wherever they are."""

import zoneinfo
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas.base import Instant

INSTANT: TypeAdapter[datetime] = TypeAdapter(Instant)
ZONES = [zoneinfo.ZoneInfo(name) for name in ("Asia/Shanghai", "Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC")]


@given(st.datetimes(timezones=st.sampled_from([UTC, *ZONES]), allow_imaginary=False).map(datetime.isoformat))
@example("9999-12-31T23:59:59Z")
@example("0001-01-01T00:00:00+00:00")
def test_every_moment_that_is_read_can_be_shown_in_any_zone(text: str) -> None:
    try:
        at = INSTANT.validate_python(text)
    except ValidationError:
        return
    assert all(at.astimezone(zone) == at for zone in ZONES)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_for_ever_is_not_a_moment(text: str) -> None:
    with pytest.raises(ValidationError, match="exists in every zone"):
        INSTANT.validate_python(text)
    assert INSTANT.validate_python("9998-12-31T23:59:59Z").year == 9998
