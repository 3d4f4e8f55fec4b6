"""As of when the pages are: what the console shows is old while Kafka is away, however often it is asked. Pure."""

from datetime import datetime

from services.runtime.health import Health


class Freshness:
    """Of one process, which begins `now`. It is looked at whenever a page is made or told of the time, so that it is
    never later than what is shown, and earlier only where nobody has looked."""

    def __init__(self, health: Health, now: datetime) -> None:
        self._health = health
        self._as_of = now

    def as_of(self, now: datetime) -> datetime:
        """Now, if all parts of the process are well; else when they last were."""
        if all(part.ready for part in self._health.states()):
            self._as_of = now
        return self._as_of
