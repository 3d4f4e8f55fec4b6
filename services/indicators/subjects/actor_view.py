"""One actor as its rules see it."""

from collections import Counter
from collections.abc import Iterator

from services.indicators.subjects.clicks import PANE_MS, Click, Pane, Suspect
from services.indicators.subjects.floods import Flood, Name, Panes
from services.indicators.windows.days import Span


class ActorView:
    """Its clicks and its complaints by one click."""

    def __init__(self, clicks: Suspect, complaints: Panes) -> None:
        self._clicks = clicks
        self._complaints = complaints
        self._looked: dict[tuple[str, Span], None] = {}

    def trailing(self, now_ms: int, seconds: int) -> Span:
        """The last seconds: the pane that ends with `now_ms`, and those before it that the time spans."""
        return Span(now_ms - seconds * 1000 - PANE_MS, now_ms)

    def _within(self, span: Span) -> Iterator[Pane]:
        for number in _numbers(span):
            if pane := self._clicks.get(number):
                yield pane

    def clicks(self, span: Span) -> int:
        """How many clicks there were."""
        self._looked["clicks", span] = None
        return sum(pane.total for pane in self._within(span))

    def accounts(self, span: Span) -> Counter[str]:
        """How many of the clicks each account made."""
        counts: Counter[str] = Counter()
        for pane in self._within(span):
            counts.update(pane.accounts)
        return counts

    def each(self, span: Span) -> list[Click]:
        """The clicks themselves, oldest first."""
        return sorted((click for pane in self._within(span) for click in pane.clicks), key=lambda click: click[:3])

    def complaints(self, span: Span) -> int:
        """How many different complaints there were."""
        self._looked["complaints", span] = None
        return len({complaint_id for complaint_id, _ in self._floods(span)})

    def complaints_by_account(self, span: Span) -> Counter[str]:
        """How many of the complaints each account made."""
        return Counter(account for _, account in self._floods(span) if account is not None)

    def each_complaint(self, span: Span) -> list[Flood]:
        """The complaints themselves, oldest first, each once."""
        earliest: dict[str, Flood] = {}
        for flood in sorted(self._floods(span).values(), key=lambda flood: flood[:3]):
            earliest.setdefault(flood.complaint_id, flood)
        return list(earliest.values())

    def _floods(self, span: Span) -> dict[Name, Flood]:
        """Those of a span, the earliest of each name."""
        found: dict[Name, Flood] = {}
        for number in reversed(_numbers(span)):
            found.update(self._complaints.get(number, {}))
        return found

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where the events lie that were looked at through this view."""
        found: list[tuple[int, int, int]] = []
        for what, span in self._looked:
            events = self.each(span) if what == "clicks" else self._floods(span).values()
            found += [(each.source, each.offset, each.offset + 1) for each in events]
        return found


def _numbers(span: Span) -> range:
    return range(span.start // PANE_MS, -(-span.end // PANE_MS))
