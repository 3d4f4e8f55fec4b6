"""Outages: platforms that are away, and what waits for them; one alert for each, whatever waits and wherever.

Each partition's lookout reports to the partition where `platform:<name>` belongs, so one machine sees all of it.
"""

from collections.abc import Iterator
from typing import Final, Literal

from schemas.alerts import AlertWords, Status
from schemas.base import Bilingual, HexId, Instant, Message
from schemas.commands import Command, Waiting
from services.channel_control.decision import AlertNote, Decision, Moment, in_words
from services.channel_control.sentences import both
from services.runtime.ids import derive

INDICATOR: Final = "platform_away"
RUNBOOK: Final = f"services/channel_control/runbook.md#{INDICATOR}"
BY: Final = "reconciler"
KIND: Final = "platform:"
WORDS: Final = frozenset({"away", "back"})
_NAMED: Final = 10
_SNAPSHOT: Final = 1


def is_about_platform(command: Command) -> bool:
    """Whether this is a lookout's report."""
    return command.issued_by == BY and command.command in WORDS and command.target.startswith(KIND)


class Outage(Message):
    """One platform. waiting: what each partition has for it."""

    format: Literal[1] = _SNAPSHOT
    since: Instant
    alert_id: HexId
    waiting: dict[str, Waiting]


class Outages:
    """All platforms that are away, by target."""

    def __init__(self) -> None:
        self._away: dict[str, Outage] = {}
        self._changed: set[str] = set()

    def take(self, command: Command, moment: Moment) -> Decision | None:
        """What comes of a lookout's report; None where it says nothing new."""
        before, told = self._away.get(command.target), command.waiting
        if told is None:
            return None
        place = str(told.partition)
        waiting = {} if before is None else dict(before.waiting)
        if command.command == "away":
            waiting[place] = told
        else:
            waiting.pop(place, None)
        if waiting == ({} if before is None else before.waiting):
            return None
        self._changed.add(command.target)
        if not waiting:
            return self._over(command.target)
        return self._on(command, before, waiting, moment)

    def _over(self, target: str) -> Decision:
        outage = self._away.pop(target)
        text = Bilingual(
            en="It answers again. What waited for it is carried out, each target in its newest state.",
            zh="平台已恢复应答，积压的要求按各对象的最新状态执行。",
        )
        words = AlertWords(status="resolved", summary=text)
        back = both("the platform answers again", "平台已恢复应答")
        return Decision("confirmed", back, notes=(AlertNote(outage.alert_id, words=words),))

    def _on(self, command: Command, before: Outage | None, waiting: dict[str, Waiting], moment: Moment) -> Decision:
        alert_id = derive("outage", command.command_id) if before is None else before.alert_id
        since = moment.at if before is None else before.since
        outage = Outage(since=since, alert_id=alert_id, waiting=dict(sorted(waiting.items())))
        self._away[command.target] = outage
        words = _words(command.target, outage, "open" if before is None else "updated")
        return Decision("failed", words.summary or both("", ""), notes=(AlertNote(alert_id, words=words),))

    def changed(self) -> Iterator[tuple[str, bytes | None]]:
        """Snapshot records `(target, value)` since the last call; None for an outage that is over."""
        for target in sorted(self._changed):
            outage = self._away.get(target)
            yield target, None if outage is None else outage.model_dump_json().encode()
        self._changed.clear()

    def load(self, target: str, raw: bytes) -> None:
        """Takes over a snapshot record. Raises ValueError for another format."""
        self._away[target] = Outage.model_validate_json(raw)


def _words(target: str, outage: Outage, status: Status) -> AlertWords:
    name, parts = target.removeprefix(KIND), outage.waiting.values()
    count, named = sum(part.count for part in parts), [each for part in parts for each in part.targets][:_NAMED]
    listed, more = ", ".join(named), count - len(named)
    reasons = "; ".join(sorted({part.reason for part in parts}))
    zh_reasons = "；".join(sorted({part.reason_zh or part.reason for part in parts}))
    and_more, zh_more = (f" and {more} more", f" 等 {count} 项") if more > 0 else ("", "")
    return AlertWords(
        status=status,
        severity="critical",
        indicator=INDICATOR,
        subject=target,
        level=1,
        title=Bilingual(
            en=f"The platform {name} does not do what it is told: {count} not in force",
            zh=f"平台 {name} 未执行指令：{count} 项要求未生效",
        ),
        summary=Bilingual(
            en=f"Since {in_words(outage.since)}: {reasons}. Not in force there: {listed}{and_more}. They wait, and are "
            "carried out in their newest state as soon as it answers; in need, act on the platform's own pages.",
            zh=f"自 {in_words(outage.since)} 起：{zh_reasons}。未生效：{listed}{zh_more}。恢复应答后按最新状态执行；"
            "紧急时请直接在平台上操作。",
        ),
        opened_at=outage.since if status == "open" else None,
        runbook=RUNBOOK,
    )
