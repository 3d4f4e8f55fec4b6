"""What the board shows: every target of a kind with how it stands, the worst first. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, Literal, get_args

from schemas.alerts import AlertState
from schemas.base import Bilingual, Severity
from schemas.channels import ChannelState, Hold, TargetStatus
from schemas.directory import Directory
from services.console.pages.board.business_view import Of
from services.console.pages.board.standing import FindAlert, Flag, Reason, badness, flags, reasons
from services.console.state.views import Alerts, Channels

Kind = Literal["channel", "product", "promotion", "content", "actor", "account"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Show = Literal["all", "held", "waits", "wrong", "running", "throttled", "paused", "frozen", "taken_down", "override"]
"""`held`: anything but running. `wrong`: the platform does not show what is wanted."""
PAGE_ROWS: Final = 50
"""So many fit into a page that stays small and quick; the worst come first, and a filter finds the rest."""
BESIDE: Final = 8
"""Rows of a small table beside the board's own."""
_WRONG: Final[frozenset[Flag]] = frozenset(("drift", "failed", "unconfirmed"))


@dataclass(frozen=True, slots=True)
class Row:
    """A target. state: None where no hold ever stood on it, so it runs. alerts: how many are open, by severity."""

    target: str
    state: ChannelState | None
    flags: tuple[Flag, ...]
    alerts: Mapping[Severity, int]

    @property
    def status(self) -> TargetStatus:
        """What is wanted of it."""
        return "running" if self.state is None else self.state.status

    @property
    def factor(self) -> float | None:
        """The share of its traffic that is left, where it is slowed."""
        return self.state.factor if self.state is not None and self.state.status == "throttled" else None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to show of a kind, and which page of it, from 1 on. of: what the figures of the business are told of."""

    kind: Kind = "channel"
    text: str = ""
    show: Show = "all"
    page: int = 1
    of: Of = "all"


@dataclass(frozen=True, slots=True)
class Shelf:
    """A page of rows. counts: how many of the kind each choice would show, whatever the text."""

    rows: Sequence[Row]
    found: int
    page: int
    pages: int
    counts: Mapping[Show, int]


def rows(kind: Kind, channels: Channels, alerts: Alerts, directory: Directory, also: Iterable[str] = ()) -> list[Row]:
    """All targets of a kind that are in the directory or were met, the worst first. also: met elsewhere."""
    prefix, told = f"{kind}:", alerts.open_by_subject()
    by_kind: dict[str, Iterable[str]] = {"channel": directory.channels, "product": directory.products}
    states = {state.target: state for state in channels.values() if state.target.startswith(prefix)}
    met = (target for targets in (told, also) for target in targets if target.startswith(prefix))
    targets = {*states, *(prefix + name for name in by_kind.get(kind, ())), *met}
    found = [_row(target, states.get(target), told.get(target, {}).values()) for target in targets]
    return sorted(found, key=_order)


def _row(target: str, state: ChannelState | None, alerts: Iterable[AlertState]) -> Row:
    return Row(target, state, flags(state), Counter([alert.severity for alert in alerts]))


def _order(row: Row) -> tuple[tuple[int, ...], str]:
    worst = badness(row.state, (row.alerts.get("critical", 0), row.alerts.get("warning", 0)))
    return tuple(-each for each in worst), row.target


def shelf(all_rows: Sequence[Row], wanted: Wanted, name: Callable[[str], Bilingual]) -> Shelf:
    """The page of what is wanted; the last one where there are not so many."""
    text = wanted.text.strip().casefold()
    counts = Counter(show for row in all_rows for show in _shown_by(row))
    found = [row for row in all_rows if wanted.show in _shown_by(row) and _is_called(row.target, text, name)]
    pages = max(ceil(len(found) / PAGE_ROWS), 1)
    page = min(max(wanted.page, 1), pages)
    return Shelf(found[(page - 1) * PAGE_ROWS : page * PAGE_ROWS], len(found), page, pages, counts)


def _shown_by(row: Row) -> Iterator[Show]:
    """The choices that show it."""
    yield "all"
    yield row.status
    if row.status != "running":
        yield "held"
    if row.flags:
        if not _WRONG.isdisjoint(row.flags):
            yield "wrong"
        if "waits" in row.flags:
            yield "waits"
        if "override" in row.flags:
            yield "override"


def _is_called(target: str, text: str, name: Callable[[str], Bilingual]) -> bool:
    if not text:
        return True
    label = name(target)
    return any(text in each.casefold() for each in (target, label.en, label.zh))


def main_reason(row: Row, alert: FindAlert) -> Reason | None:
    """The one to tell of in a line: what acts, else what waits or opens."""
    return next((each for each in reasons(row.state, alert) if each.part != "over"), None)


def beyond(channels: Channels) -> list[ChannelState]:
    """The targets with a stop that waits because the governor has let enough be stopped."""
    found = [state for state in channels.values() if any(_is_declined(hold) for hold in state.holds)]
    return sorted(found, key=lambda state: state.target)


def _is_declined(hold: Hold) -> bool:
    return hold.claim == "declined" and hold.approval == "waiting"


def of_tidegate(alerts: Alerts) -> list[AlertState]:
    """The open alerts about Tidegate itself and the platforms that it acts on, the newest first."""
    kinds = "service:", "platform:"
    return _open(alerts, lambda alert: alert.subject.startswith(kinds) or alert.indicator == "platform_drift")


def surroundings(alerts: Alerts) -> list[AlertState]:
    """The open alerts about the brand and the market, the newest first."""
    return _open(alerts, lambda alert: alert.subject.startswith(("brand:", "market:")))


def _open(alerts: Alerts, wanted: Callable[[AlertState], bool]) -> list[AlertState]:
    found = [alert for those in alerts.open_by_subject().values() for alert in those.values() if wanted(alert)]
    return sorted(found, key=lambda alert: (alert.opened_at, alert.alert_id), reverse=True)[:BESIDE]
