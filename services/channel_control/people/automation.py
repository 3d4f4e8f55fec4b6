"""Automation as a whole: a person switches it off, and in maintenance windows it is off for some. Then it asks.

The switch is a target of its own, which every partition knows: automation is off while a hold stands on it.
"""

from datetime import datetime

from schemas import automation
from schemas.base import Bilingual
from schemas.channels import Hold
from schemas.commands import Command
from schemas.maintenance import open_window
from schemas.policy import Policy
from services.channel_control.decision import Decision, Moment, in_words, refuse
from services.channel_control.holding.holds import reason, reason_of, why
from services.channel_control.holding.target import Target
from services.channel_control.sentences import both, name
from services.runtime.ids import derive


def switch(state: Target, command: Command, moment: Moment) -> Decision:
    """A person's `automation_off` or `automation_on`."""
    problem = _problem(command)
    if problem is not None:
        return refuse(command, moment, problem)
    is_off, wants_off = bool(state.holds), command.command == "automation_off"
    if is_off == wants_off:
        on, zh = ("off", "关闭") if is_off else ("on", "开启")
        return Decision("recorded", both(f"automation is {on} already", f"自动处置已{zh}"))
    holds = (_hold_of(command, moment.at),) if wants_off else ()
    named = tuple(hold.hold_id for hold in (*holds, *state.holds))
    return Decision("done", why(command), target=state.with_holds(holds), holds=named)


def _problem(command: Command) -> Bilingual | None:
    if command.command not in ("automation_off", "automation_on") or command.target != automation.TARGET:
        return both(
            "only automation_off and automation_on are for every partition",
            "只有 automation_off 与 automation_on 面向所有分区",
        )
    if not command.is_from_person():
        return both(f"{command.command} is for people to say", f"{command.command} 只能由人下达")
    if not (command.note or "").strip():
        return both(f"{command.command} without a reason", f"{command.command} 未填写原因")
    return None


def _hold_of(command: Command, at: datetime) -> Hold:
    hold_id = derive(command.command_id, "hold")
    return Hold(hold_id=hold_id, kind="pause", since=at, by=command.issued_by, **reason(why(command)))


def asks_because(state: Target, target: str, policy: Policy, at: datetime) -> Bilingual | None:
    """Why automation has to ask about a target now; None: it need not."""
    for hold in state.holds:
        said = reason_of(hold)
        return both(f"automation is off, by {hold.by}: {said.en}", f"自动处置已由 {name(hold.by)} 关闭：{said.zh}")
    window = open_window(policy.maintenance, target, at)
    if window is None:
        return None
    until = in_words(window.to)
    return both(f"maintenance until {until}: {window.reason}", f"维护窗口至 {until}：{window.reason}")
