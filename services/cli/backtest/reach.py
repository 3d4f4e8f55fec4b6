"""From when to when each source of a log has told of anything."""

from dataclasses import dataclass

from schemas.backtest import Origin, Part
from schemas.base import from_ms


@dataclass(slots=True)
class Reach:
    """One source; 0 while it has told of nothing."""

    origin: Origin
    first_ms: int = 0
    last_ms: int = 0

    def saw(self, stamp_ms: int) -> None:
        """A record was read; each source partition comes in the order of time, all of them mixed."""
        if not self.first_ms or stamp_ms < self.first_ms:
            self.first_ms = stamp_ms
        self.last_ms = max(self.last_ms, stamp_ms)

    def within(self, start_ms: int) -> list[Part]:
        """What of it lies in a window that begins then: one part, or none."""
        if self.last_ms < max(start_ms, 1):
            return []
        return [Part(of=self.origin, first=from_ms(max(self.first_ms, start_ms)), last=from_ms(self.last_ms))]
