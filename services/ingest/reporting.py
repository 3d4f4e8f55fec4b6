"""What operators are told of ingest: the log, the metrics and the reasons in its health."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from schemas.dead_letters import DeadLetter
from services.ingest import metrics
from services.ingest.reading.reasons import reason_of
from services.ingest.sources.ledger import Ledger
from services.ingest.sources.owned import Owned
from services.runtime.health import Health
from services.runtime.metrics import LAG_RECORDS, RECORDS_READ

log = logging.getLogger(__name__)

SAY_EVERY_S: Final = 10.0
"""How often to repeat what is being waited for."""
_OUTCOMES: Final = ("valid", "duplicate", "dead", "control")


class Reporting:
    """Tells of the partitions that this process owns. `clock` counts seconds and never goes back."""

    def __init__(self, health: Health, clock: Callable[[], float] = time.monotonic) -> None:
        self._health = health
        self._clock = clock
        self._said: dict[str, float] = {}
        self._counted: dict[int, Ledger] = {}

    def waiting(self, event: str, reason: str) -> None:
        """Something is waited for: said at once and then now and again."""
        now = self._clock()
        if now - self._said.get(event, -SAY_EVERY_S) >= SAY_EVERY_S:
            self._said[event] = now
            log.warning(event, extra={"reason": reason})

    def taken_up(self, owned: Owned) -> None:
        """A partition is ours now."""
        self._counted.setdefault(owned.source.source, owned.source.ledger.copy())
        metrics.PAUSED.labels(owned.source.topic, owned.source.partition).set(0)
        if owned.note:
            log.warning("partition taken up in an unusual way", extra={"partition": owned.name, "reason": owned.note})
            self._health.part(_part(owned)).ok(owned.note)
        if owned.lost:
            self.lost(owned)

    def given_up(self, owned: Owned) -> None:
        """A partition is not ours any more."""
        self._health.drop(_part(owned))
        metrics.PAUSED.labels(owned.source.topic, owned.source.partition).set(0)
        LAG_RECORDS.labels(owned.source.topic, owned.source.partition).set(0)
        self._counted.pop(owned.source.source, None)

    def lost(self, owned: Owned) -> None:
        """A partition cannot be read on, and must not be read from elsewhere."""
        log.critical("partition is not read", extra={"partition": owned.name, "reason": owned.lost})
        self._health.part(_part(owned)).wait(owned.lost)
        metrics.PAUSED.labels(owned.source.topic, owned.source.partition).set(1)

    def paused(self, owned: Owned, seconds: float) -> None:
        """Too many of a partition's records are bad."""
        reason = f"too many bad records; it is read again in {seconds:.0f} s, or after a restart"
        fields = {"partition": owned.name, "at_offset": owned.position, "reason": reason}
        log.error("partition paused", extra=fields)
        self._health.part(_part(owned)).wait(f"paused at {owned.position}: {reason}")
        metrics.PAUSED.labels(owned.source.topic, owned.source.partition).set(1)

    def resumed(self, owned: Owned) -> None:
        """A paused partition is read again."""
        log.warning("partition resumed", extra={"partition": owned.name, "at_offset": owned.position})
        self._health.drop(_part(owned))
        metrics.PAUSED.labels(owned.source.topic, owned.source.partition).set(0)

    def rejected(self, letters: Iterable[DeadLetter]) -> None:
        """These records became dead letters."""
        for letter in letters:
            metrics.DEAD_LETTERS.labels(letter.topic, reason_of(letter.errors)).inc()

    def count(self, owned: Iterable[Owned]) -> None:
        """Brings the counters up to the ledgers; once a second, not for every poll."""
        rows: Counter[str] = Counter()
        for each in owned:
            now = each.source.ledger
            before = self._counted.get(each.source.source, now)
            self._counted[each.source.source] = now.copy()
            topic = each.source.topic
            if now.read != before.read:
                RECORDS_READ.labels(topic).inc(now.read - before.read)
                for outcome in _OUTCOMES:
                    metrics.RECORDS.labels(topic, outcome).inc(getattr(now, outcome) - getattr(before, outcome))
                rows += now.routed - before.routed
            LAG_RECORDS.labels(topic, each.source.partition).set(max(0, each.end - each.source.next))
        for subject, count in rows.items():
            metrics.ROWS.labels(subject).inc(count)


def _part(owned: Owned) -> str:
    return f"partition {owned.name}"
