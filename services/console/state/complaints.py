"""The complaints that wait for an answer, as the indicators tell of them, with their deadlines. Pure.

No customer's words: an id, where it came from, and when.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from schemas.alerts import AlertState
from schemas.answer_time import AnswerTime, answer_time_in
from schemas.base import from_ms, read_instant, to_ms
from schemas.policy import Policy
from schemas.readings import Cases, OpenCase
from services.runtime.calendar import Calendar

SOON: Final = timedelta(hours=4)
"""With so little time left it is shown as pressing, whatever its whole time is."""
_RULE: Final = "complaint_sla"


class OpenComplaints:
    """Folds what the indicators say; what is told again takes the place of what stood there."""

    def __init__(self) -> None:
        self._cases: dict[str, OpenCase] = {}

    def __len__(self) -> int:
        return len(self._cases)

    def fold(self, told: Cases) -> None:
        """Takes in one message."""
        self._cases |= told.waiting
        for name in told.settled:
            self._cases.pop(name, None)

    def entries(self) -> dict[str, OpenCase]:
        """All at this moment, by id, for whoever takes their time."""
        return dict(self._cases)


class Deadlines:
    """By when complaints are to be answered under a policy: as `complaint_sla` watches it, without overrides."""

    def __init__(self, policy: Policy) -> None:
        self._time: AnswerTime = answer_time_in(policy)
        self._calendar = Calendar(policy.calendar, policy.time_zone)

    def of(self, case: OpenCase) -> datetime:
        """When the time of this one is up."""
        wait_ms = self._time.wait_ms(high_net_worth=case.high_net_worth)
        return from_ms(self._calendar.deadline(to_ms(case.at), wait_ms, self._time.basis))


@dataclass(frozen=True, slots=True)
class Waiting:
    """One complaint. alert: what people were told of it, while that is open."""

    name: str
    case: OpenCase
    due: datetime
    alert: AlertState | None

    def stands(self, now: datetime) -> str:
        """`late`, `soon` or `waiting`."""
        if now >= self.due:
            return "late"
        return "soon" if self.alert is not None or self.due - now <= SOON else "waiting"


@dataclass(frozen=True, slots=True)
class Asked:
    """Which are asked for; what is empty is not asked."""

    channel: str = ""
    product: str = ""
    entry: str = ""

    def has(self, case: OpenCase) -> bool:
        """Whether this is one of them."""
        pairs = (self.channel, case.channel), (self.product, case.product or ""), (self.entry, case.entry)
        return all(wanted in ("", given) for wanted, given in pairs)

    def fields(self) -> dict[str, str]:
        """Those that are asked, for a link."""
        return {name: value for name in self.__slots__ if (value := getattr(self, name))}


@dataclass(slots=True)
class Share:
    """How many wait of one channel or product, and how many of them are late."""

    waiting: int = 0
    late: int = 0


def reminders(alerts: Iterable[AlertState]) -> dict[str, AlertState]:
    """What people are told of single complaints, by complaint."""
    return {each.subject.partition(":")[2]: each for each in alerts if _is_open(each)}


def waiting(
    complaints: Mapping[str, OpenCase], told: Mapping[str, AlertState], deadlines: Deadlines, asked: Asked
) -> list[Waiting]:
    """Those that are asked for, the least time left first.

    What an open alert tells of is here even where its complaint is not known, such as right after a start.
    """
    cases = {name: case for name, each in told.items() if (case := _case_of(each)) is not None}
    cases.update(complaints)
    found = [Waiting(name, case, deadlines.of(case), told.get(name)) for name, case in cases.items() if asked.has(case)]
    return sorted(found, key=lambda each: (each.due, each.name))


def shares(found: Iterable[Waiting], now: datetime) -> Mapping[str, Mapping[str, Share]]:
    """By `channel` and `product`, and name: the one with the most late ones first."""
    sums: dict[str, dict[str, Share]] = {"channel": {}, "product": {}}
    for each in found:
        for kind, name in (("channel", each.case.channel), ("product", each.case.product)):
            if name:
                share = sums[kind].setdefault(name, Share())
                share.waiting += 1
                share.late += each.due <= now
    return {kind: dict(sorted(names.items(), key=_worst)) for kind, names in sums.items()}


def _worst(item: tuple[str, Share]) -> tuple[int, int, str]:
    name, share = item
    return -share.late, -share.waiting, name


def _is_open(alert: AlertState) -> bool:
    return alert.indicator == _RULE and alert.status != "resolved" and alert.subject.startswith("complaint:")


def _case_of(alert: AlertState) -> OpenCase | None:
    """As its evidence has it; None where that says nothing."""
    detail = {} if alert.evidence is None else alert.evidence.detail
    if "opened_at" not in detail:
        return None
    return OpenCase(
        at=read_instant(detail["opened_at"]),
        channel=detail.get("channel") or "",
        product=detail.get("product"),
        entry=detail.get("entry") or "",
        high_net_worth=bool(detail.get("high_net_worth")),
    )
