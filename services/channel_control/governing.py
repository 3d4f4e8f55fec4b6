"""One word to the governor: what it knows then, its answer to the channel, the audit, the one alert of what waits."""

from datetime import datetime

from schemas.audit import Outcome
from schemas.base import Bilingual
from schemas.commands import Command
from schemas.governor import Claim
from services.channel_control import governor_words
from services.channel_control.claims import BY
from services.channel_control.decision import Moment
from services.channel_control.governor import Standing, claim, hear, release
from services.channel_control.scribe import Scribe
from services.channel_control.sentences import both
from services.runtime.ids import derive
from services.runtime.machine import Output


def govern(standing: Standing, command: Command, moment: Moment, scribe: Scribe) -> tuple[Standing, list[Output]]:
    """What comes of it. What each writer tells every few minutes is no matter for the audit."""
    if command.issued_by != BY or command.command not in ("claim", "release", "figures"):
        word, who = command.command, command.issued_by.partition(":")[0]
        text = both(f"{word} is not for {who} to say to the governor", f"{who} 不能向总闸下达 {word}")
        return standing, [scribe.governed(command, "refused", text, {})]
    if command.figures is not None:
        return hear(standing, command.figures, moment.at), []
    if command.claim is None:
        return standing, [scribe.governed(command, "refused", both("it says nothing", "没有内容"), {})]
    if command.command == "release":
        after = release(standing, command.claim.hold_id, moment.at)
        text = both("its share is free", "已释放其份额")
        outputs = [scribe.governed(command, "recorded", text, _detail(command.claim))]
    else:
        after, outputs = _claimed(standing, command, command.claim, moment, scribe)
    return _telling(standing, after, command, moment.at, scribe, outputs)


def _claimed(
    standing: Standing, command: Command, wanted: Claim, moment: Moment, scribe: Scribe
) -> tuple[Standing, list[Output]]:
    after, why = claim(standing, wanted, moment.policy.governor, moment.at)
    if wanted.approved:
        text = both("it acts by the word of people", "经人工批准后生效")
        return after, [scribe.governed(command, "recorded", text, _detail(wanted))]
    outcome: Outcome = "done" if why is None else "waiting"
    audit = scribe.governed(command, outcome, why or both("within the limits", "未超出上限"), _detail(wanted))
    return after, [audit, scribe.order(_answer(command, wanted, why, moment.at))]


def _detail(wanted: Claim) -> dict[str, object]:
    return wanted.model_dump(mode="json", exclude={"hold_id"})


def _answer(command: Command, wanted: Claim, why: Bilingual | None, at: datetime) -> Command:
    return Command(
        command_id=derive(command.command_id, "answer"),
        command="granted" if why is None else "declined",
        target=wanted.target,
        hold_ids=[wanted.hold_id],
        issued_by=BY,
        alert_id=command.alert_id,
        issued_at=at,
        note=None if why is None else why.en,
        reason=why,
    )


def _telling(
    before: Standing, after: Standing, command: Command, at: datetime, scribe: Scribe, outputs: list[Output]
) -> tuple[Standing, list[Output]]:
    """Opens, updates or resolves the alert where what waits has changed."""
    if after.waiting == before.waiting:
        return after, outputs
    if before.alert_id is None:
        alert_id = derive("governor", command.command_id)
        after = after.model_copy(update={"alert_id": alert_id, "opened_at": at})
        return after, [*outputs, _alert(after, "open", scribe)]
    if after.waiting:
        return after, [*outputs, _alert(after, "updated", scribe)]
    told = _alert(after, "resolved", scribe)
    return after.model_copy(update={"alert_id": None, "opened_at": None}), [*outputs, told]


def _alert(standing: Standing, status: str, scribe: Scribe) -> Output:
    over = status == "resolved"
    summary: Bilingual = governor_words.OVER if over else governor_words.summary(standing)
    return scribe.alert(
        str(standing.alert_id),
        status=status,
        severity="critical",
        indicator="governor",
        subject="service:channel_control",
        level=None if over else governor_words.level(standing),
        title=None if over else governor_words.title(standing),
        summary=summary,
        opened_at=standing.opened_at,
        runbook=governor_words.RUNBOOK,
    )
