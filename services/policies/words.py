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
_PROBLEMS: Final = (
    (r"is required", "必填"),
    (r"is not known; is it misspelt, or in the wrong place\?", "未知的名称：是否拼写有误或位置不对？"),
    (r"is given twice, first in line (\d+)", r"重复出现，首次在第 \1 行"),
    (r"is not YAML: (.*)", r"不是有效的 YAML：\1"),
    (r"no indicator is called so; there are (.*)", r"没有这个指标；现有 \1"),
    (r"(\w+) gives no such command; it has (.*)", r"\1 没有这种动作；有 \2"),
    (r"(\w+) judges each (\w+) by itself: write (.*)", r"\1 按 \2 逐个判断：请写 \3"),
    (r"\w+ is no ratio: .*", "该指标不是比率，按事件或期限判断，没有可持续的时长"),
    (r"is not a duration such as (.*) or (.*)", r"不是时长，例如 \1、\2"),
    (r"is not a time zone such as (.*)", r"不是时区，例如 \1"),
    (r"is one of (.*), or a mapping from actions to these", r"须为 \1 之一，或按动作分别给出"),
    (r"must be more than nothing and at most (.*)", r"须大于零且不超过 \1"),
    (r"has no slash, which stands before the version", "不得含斜杠，斜杠用于版本号之前"),
    (r"Input should be greater than or equal to (.*)", r"应不小于 \1"),
    (r"Input should be greater than (.*)", r"应大于 \1"),
    (r"Input should be less than or equal to (.*)", r"应不大于 \1"),
    (r"Input should be less than (.*)", r"应小于 \1"),
    (r"Input should be a valid integer.*", "应为整数"),
    (r"Input should be a valid number.*", "应为数字"),
    (r"Input should be a valid string", "应为文本"),
    (r"Input should be a valid boolean.*", "应为 true 或 false"),
    (r"Input should be a valid (?:dictionary|list|array).*", "此处应为映射或列表"),
    (r"Input should be (.*)", r"应为 \1"),
)


def problem(text: str) -> Bilingual:
    """What is wrong with a part of a document."""
    for pattern, chinese in _PROBLEMS:
        if match := re.fullmatch(pattern, text, re.DOTALL):
            return Bilingual(en=text, zh=match.expand(chinese))
    return Bilingual(en=text, zh=text)


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
