"""Public holidays and make-up workdays of mainland China, from the library that follows the State Council's notices."""

from dataclasses import dataclass
from datetime import date

from chinese_calendar import Holiday, get_holiday_detail

from schemas.base import Bilingual


@dataclass(frozen=True, slots=True)
class PublicDay:
    """A day that is other than its day of the week: free for a festival, or worked, as a rule in return for one."""

    worked: bool
    festival: Bilingual | None


class UnknownYearError(LookupError):
    """The notice of that year has not reached the library."""


def public_day(day: date) -> PublicDay | None:
    """What the notices say of a day, None for nothing; raises UnknownYearError."""
    try:
        free, festival = get_holiday_detail(day)
    except NotImplementedError:
        raise UnknownYearError(day.year) from None
    if festival is None:
        return None
    return PublicDay(not free, Bilingual(en=festival, zh=Holiday(festival).chinese))
