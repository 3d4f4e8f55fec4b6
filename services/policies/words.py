"""What the checks and comparisons of policies say, in both languages. What has no translation here stays English."""

import re
from typing import Final

from schemas.base import Bilingual
from services.policies.meaning import titles

ACTIONS: Final = {
    "pause": Bilingual(en="pause", zh="暂停"),
    "throttle": Bilingual(en="slow", zh="限流"),
    "freeze": Bilingual(en="freeze", zh="冻结"),
    "take_down": Bilingual(en="take down", zh="下架"),
    "escalate": Bilingual(en="call experts", zh="上报专家"),
}
MATURITIES: Final = {
    "shadow": Bilingual(en="shadow: only counted", zh="影子：仅计数"),
    "notify": Bilingual(en="notify: people are told", zh="通知：告知人员"),
    "approve": Bilingual(en="approve: waits for a person", zh="审批：等待人工批准"),
    "auto": Bilingual(en="auto: done at once", zh="自动：立即执行"),
}
_GUARDED: Final = {"guardrail": "护栏", "unfreeze": "解冻", "governor": "总闸", "policy": "策略"}


def looser(line: str) -> Bilingual:
    """A line of `becomes_auto` or `asks_fewer`."""
    if match := re.fullmatch(r"(\w+): (resume after )?(\w+)(?: on (.+))?", line):
        indicator, resume, action, subject = match.groups()
        if indicator in titles() and action in ACTIONS:
            return _acting(titles()[indicator], bool(resume), ACTIONS[action], subject)
    if line == "governor: off":
        return Bilingual(en="the governor is switched off", zh="总闸被关闭")
    if match := re.fullmatch(r"governor: (\w+)", line):
        return Bilingual(en=f"the governor lets more through ({match[1]})", zh=f"总闸放宽（{match[1]}）")
    if match := re.fullmatch(r"four_eyes: (\w+) takes one person", line):
        return Bilingual(en=f"{match[1]} takes one person only", zh=f"{_GUARDED.get(match[1], match[1])}只需一人")
    if match := re.fullmatch(r"four_eyes: (\d+) people agree instead of (\d+)", line):
        return Bilingual(
            en=f"{match[1]} must agree instead of {match[2]}", zh=f"需 {match[1]} 人同意，原为 {match[2]} 人"
        )
    return Bilingual(en=line, zh=line)


def _acting(title: Bilingual, resumes: bool, action: Bilingual, subject: str | None) -> Bilingual:
    on, about = (f" on {subject}", f"（{subject}）") if subject else ("", "")
    if resumes:
        return Bilingual(
            en=f"{title.en}: after “{action.en}”{on}, it resumes by itself",
            zh=f"{title.zh}{about}：{action.zh}后自动恢复",
        )
    return Bilingual(en=f"{title.en}: “{action.en}”{on} by itself", zh=f"{title.zh}{about}：自动{action.zh}")
