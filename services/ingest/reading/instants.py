"""RFC 3339 times to milliseconds, at the price of two look-ups: most events of a second share all but its fraction."""

from datetime import datetime

from schemas.base import read_instant, to_ms

_HEAD = 19
"""Length of `2026-11-23T09:30:00`; what follows, the tail, is the fraction and the zone."""
_LIMIT = 20_000
"""Entries kept of each kind; all are forgotten when there are more."""


def slow_ms(text: str) -> int:
    """Milliseconds since the epoch of a time in its one accepted form; anything else raises ValueError."""
    at = read_instant(text)
    if not isinstance(at, datetime):
        raise ValueError("is not a time")
    return to_ms(at)


class _Heads(dict[str, int]):
    """Milliseconds of a whole second, as if its zone were UTC."""

    def __missing__(self, head: str) -> int:
        # Head and tail are independent but for 24:00:00 (of later Pythons) and the ends of the calendar.
        if head[11:13] == "24" or head[:4] in ("0001", "9999"):
            raise ValueError("is not read in parts")
        value = slow_ms(head + "Z")
        if len(self) >= _LIMIT:
            self.clear()
        self[head] = value
        return value


class _Tails(dict[str, int]):
    """Milliseconds that the fraction adds, less what the zone is ahead of UTC."""

    def __missing__(self, tail: str) -> int:
        # Microseconds would fill the cache a thousand times over, so their last three digits are passed over.
        zone = tail[7:]
        if tail[:1] == "." and zone[:1] != "." and zone in self and tail[1:7].isdecimal() and tail.isascii():
            return self[zone] + int(tail[1:4])
        value = slow_ms("1970-01-02T00:00:00" + tail) - 86_400_000
        if len(self) >= _LIMIT:
            self.clear()
        self[tail] = value
        return value


class Instants:
    """Reads times as `schemas.base.Instant` does, cut to the millisecond. Not for several threads."""

    def __init__(self) -> None:
        self._heads = _Heads()
        self._tails = _Tails()

    def ms(self, text: str) -> int:
        """One time; ValueError if it is none."""
        try:
            return self._heads[text[:_HEAD]] + self._tails[text[_HEAD:]]
        except ValueError:
            return slow_ms(text)

    def all_ms(self, texts: list[str]) -> list[int]:
        """Many times; ValueError if one of them is none, or is rare enough to be left to `ms`."""
        heads, tails = self._heads, self._tails
        return [heads[text[:_HEAD]] + tails[text[_HEAD:]] for text in texts]
