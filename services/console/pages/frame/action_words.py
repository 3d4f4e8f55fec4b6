"""How pages speak of orders and of how far they have come. Pure."""

from collections.abc import Iterable
from typing import Final, Literal

from schemas.alerts import ActionState, ActionTaken
from schemas.base import Bilingual
from schemas.wording import phrase
from services.console.pages.frame.speaking import Speaker


def _(en: str, zh: str) -> Bilingual:
    return Bilingual(en=en, zh=zh)


STATES: Final[dict[ActionState, Bilingual]] = {
    "ordered": _("ordered", "已下令"),
    "masked": _("masked by an override", "被人工放行屏蔽"),
    "waiting": _("waits for approval", "等待批准"),
    "granted": _("approved", "已批准"),
    "rejected": _("rejected", "已驳回"),
    "expired": _("nobody decided in time", "逾期未决定"),
    "replaced": _("replaced by another order", "已被其他指令取代"),
    "done": _("in force", "已生效"),
    "confirmed": _("confirmed by the platform", "平台已确认"),
    "failed": _("failed: not in force", "失败，未生效"),
    "stale": _("came too late, not done", "过期未执行"),
    "refused": _("refused", "被拒绝"),
    "relapsed": _("put back: the trouble returned", "异常复发，已恢复限制"),
    "opening": _("opens by itself", "正在逐步恢复"),
    "lifted": _("lifted", "已解除"),
}
Tone = Literal["good", "waiting", "bad", "info"]
_TONES: Final[dict[ActionState, Tone]] = {
    "waiting": "waiting",
    "masked": "waiting",
    "failed": "bad",
    "refused": "bad",
    "stale": "bad",
    "expired": "bad",
    "relapsed": "bad",
    "done": "good",
    "confirmed": "good",
    "lifted": "good",
}


def tone(state: ActionState) -> Tone:
    """How it looks."""
    return _TONES.get(state, "info")


def last_steps(actions: Iterable[ActionTaken]) -> list[ActionTaken]:
    """How far each order has come, the last step of each."""
    return list({(action.what, action.target): action for action in actions}.values())


def doing(what: str, target: str, speaker: Speaker) -> str:
    """An order as a phrase, with what its target is called."""
    return phrase(what, [speaker.name(target)], 0 if speaker.language == "en" else 1)


def person(who: str, speaker: Speaker) -> str:
    """A person by name; Tidegate's own parts are Tidegate."""
    kind, _, name = who.partition(":")
    return name if kind == "person" else speaker.say("Tidegate", "系统")
