"""One word to the governor: what it knows then, its answer to the channel, the audit, the one alert of what waits."""

from datetime import datetime

from schemas.audit import Outcome
from schemas.base import Bilingual, HexId
from schemas.commands import Command
from schemas.governor import GOVERNOR, Claim
from services.channel_control.decision import Moment
from services.channel_control.governing import governor_words
from services.channel_control.governing.claims import BY
from services.channel_control.governing.governor import (
    GATHER,
    Asked,
    Standing,
    claim,
    gather,
    gathers,
    hear,
    most_harmful_first,
    release,
)
from services.channel_control.scribe import Scribe
from services.channel_control.sentences import both
from services.runtime.ids import derive
from services.runtime.machines.machine import Output


def govern(standing: Standing, command: Command, moment: Moment, scribe: Scribe) -> tuple[Standing, list[Output]]:
    """What comes of it. What each writer tells every few minutes is no matter for the audit."""
    if command.issued_by != BY or command.command not in ("claim", "release", "figures", "gathered"):
        word, who = command.command, command.issued_by.partition(":")[0]
        text = both(f"{word} is not for {who} to say to the governor", f"{who} 不能向总闸下达 {word}")
        return standing, [scribe.governed(command, "refused", text, {})]
    if command.figures is not None:
        return hear(standing, command.figures, moment.at), []
    if command.command == "gathered":
        after, outputs = _together(standing, command, moment, scribe)
        return _telling(standing, after, command, moment.at, scribe, outputs)
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
    if gathers(standing, wanted, moment.policy.governor, moment.at):
        return _gathered(standing, command, wanted, moment, scribe)
    after, why = claim(standing, wanted, moment.policy.governor, moment.at)
    if wanted.approved:
        text = both("it acts by the word of people", "经人工批准后生效")
        return after, [scribe.governed(command, "recorded", text, _detail(wanted))]
    outcome: Outcome = "done" if why is None else "waiting"
    audit = scribe.governed(command, outcome, why or both("within the limits", "未超出上限"), _detail(wanted))
    answer = _answer(command.command_id, command.alert_id, wanted, why, moment.at)
    return after, [audit, scribe.order(answer)]


def _gathered(
    standing: Standing, command: Command, wanted: Claim, moment: Moment, scribe: Scribe
) -> tuple[Standing, list[Output]]:
    """Answered later, with what comes meanwhile; the first one calls for the end of it."""
    asked = Asked(claim=wanted, at=moment.at, command_id=command.command_id, alert_id=command.alert_id)
    text = both(
        "answered together with what else is asked now, the most harmful first",
        "与同时到来的其他请求一并答复，危害最大者优先",
    )
    ends = [] if standing.gathered else [scribe.order(_due(command, moment.at))]
    return gather(standing, asked), [scribe.governed(command, "recorded", text, _detail(wanted)), *ends]


def _together(standing: Standing, command: Command, moment: Moment, scribe: Scribe) -> tuple[Standing, list[Output]]:
    """Answers what was gathered, or goes once more through the log if that was not long enough."""
    asked = standing.gathered
    if not asked:
        return standing, []
    if asked[0].at <= moment.at < asked[0].at + GATHER:  # a clock that was set back is not waited for
        return standing, [scribe.order(_due(command, moment.at))]
    answers: list[Command] = []
    for stop, _ in most_harmful_first(standing, asked):
        standing, why = claim(standing, stop.claim, moment.policy.governor, moment.at)
        answers.append(_answer(stop.command_id, stop.alert_id, stop.claim, why, moment.at))
    granted = [answer.target for answer in answers if answer.command == "granted"]
    text = both(
        f"of {len(answers)} that came together {len(granted)} are granted, the most harmful first",
        f"同时到来的 {len(answers)} 项中批准 {len(granted)} 项，危害最大者优先",
    )
    audit = scribe.governed(command, "done", text, {"granted": granted, "asked": len(answers)})
    return standing, [audit, *map(scribe.order, answers)]


def _due(command: Command, at: datetime) -> Command:
    """The governor's word to itself."""
    return Command(
        command_id=derive(command.command_id, "gathered"),
        command="gathered",
        target=GOVERNOR,
        issued_by=BY,
        issued_at=at,
    )


def _detail(wanted: Claim) -> dict[str, object]:
    return wanted.model_dump(mode="json", exclude={"hold_id"})


def _answer(command_id: HexId, alert_id: HexId | None, wanted: Claim, why: Bilingual | None, at: datetime) -> Command:
    return Command(
        command_id=derive(command_id, "answer"),
        command="granted" if why is None else "declined",
        target=wanted.target,
        hold_ids=[wanted.hold_id],
        issued_by=BY,
        alert_id=alert_id,
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
