"""Whether alerting truly gets on, so that somebody outside may be told so. Pure."""

from collections.abc import Iterable, Mapping

from services.alerting.sending.condition import Condition


class Progress:
    """Of the machines: whether what was on each log at the last look has been applied by now."""

    def __init__(self) -> None:
        self._ends: Mapping[int, int] = {}

    def look(self, ends: Mapping[int, int], applied: Mapping[int, int]) -> bool:
        """ends, applied: by partition, where its log ends and the next record that its machine waits for."""
        before, self._ends = self._ends, dict(ends)
        return bool(before) and all(applied[each] >= before[each] for each in applied.keys() & before.keys())


def reaches_anybody(conditions: Iterable[Condition], now: float) -> bool:
    """Whether some receiver is not dead. When all are, silence is the only alarm that is left."""
    known = list(conditions)
    return not known or any(condition.ill(now) is None for condition in known)
