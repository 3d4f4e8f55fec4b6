"""`python -m deploy.handbook [--check]`: writes docs/indicators.md from the rules, or says that it is not current."""

import inspect
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy import written_page
from schemas.base import Bilingual
from services.indicators.registry import all_rules
from services.indicators.rule import AnyRule, Limits

PAGE: Final = Path(__file__).parents[1] / "docs" / "indicators.md"
_INTRO: Final = """\
# The indicators

Written from the rules by `python -m deploy.handbook`; do not edit. Every figure is a default of the policy, see
[deploy/policy.yaml](../deploy/policy.yaml); § is the chapter of the strategy that asks for it. How to add one:
[add-an-indicator.md](add-an-indicator.md).

由 `python -m deploy.handbook` 从规则生成，请勿手工修改。所有数值均为策略的默认值，见
[deploy/policy.yaml](../deploy/policy.yaml)；§ 为策略文件章节。
"""
_JUDGED: Final = {
    "at once": "with every event · 每个事件",
    "at close": "when a pane closes · 每个时间片结束时",
    "both": "with every event, and when a pane closes · 每个事件及时间片结束时",
}


def page() -> str:
    """The whole page."""
    rules = [rule for rule in all_rules() if not rule.strand]
    rows = [f"| [{rule.id}](#{rule.id}) | {rule.subject} | {rule.title.en} | {rule.title.zh} |" for rule in rules]
    table = ["| id | about a | what | 名称 |", "|---|---|---|---|", *rows]
    return "\n".join([_INTRO, *table, "", *(line for rule in rules for line in _section(rule))])


def _section(rule: AnyRule) -> Iterator[str]:
    yield f"## {rule.id}"
    yield ""
    yield f"**{rule.title.en} · {rule.title.zh}** (§ {rule.source})"
    yield ""
    yield _about(rule)
    yield ""
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {name} | {value} |" for name, value in _facts(rule))
    yield ""
    yield "| threshold · 阈值 | default · 默认 | | |"
    yield "|---|---|---|---|"
    yield from _thresholds(rule.limits)
    yield ""


def _about(rule: AnyRule) -> str:
    """What the file says of itself, and what the class adds; in English, then in Chinese."""
    said = [(inspect.getdoc(each) or "").partition("· ") for each in (inspect.getmodule(type(rule)), type(rule))]
    return "\n\n".join(part for language in (0, 2) for each in said if (part := each[language].strip()))


def _facts(rule: AnyRule) -> Iterator[tuple[str, str]]:
    seconds = int(rule.clearing.hold.total_seconds())
    yield "subject · 对象", f"`{rule.subject}`"
    yield "reads · 读取", ", ".join(f"`{name}`" for name in rule.reads)
    yield "judged · 判断", _JUDGED[rule.judged]
    yield (
        "orders · 措施",
        ", ".join(f"`{action}` ({maturity})" for action, maturity in rule.actions.items())
        or "none: alert only · 无，仅告警",
    )
    if rule.fires_after:
        minutes = rule.fires_after // timedelta(minutes=1)
        yield "told · 告警", f"when it has lasted for {minutes} min · 持续 {minutes} 分钟后"
    yield "over · 解除", "at midnight · 当日午夜" if rule.per_day else _over(rule.clearing.below, seconds // 60)
    yield "runbook · 处置手册", f"[{rule.id}](../{rule.runbook})"


def _over(below: float, minutes: int) -> str:
    held, lasting = (f" for {minutes} min", f"，持续 {minutes} 分钟") if minutes else ("", "")
    return f"under {below:.0%} of the figure{held} · 低于阈值的 {below:.0%}{lasting}"


def _thresholds(limits: type[Limits]) -> Iterator[str]:
    defaults = limits().model_dump(mode="json")
    for name, field in limits.model_fields.items():
        meaning = Bilingual.parted(field.description or "")
        yield f"| `{name}` | `{defaults[name]}` | {meaning.en} | {meaning.zh} |"


def main() -> int:
    """0 when the page is current or written, 1 when `--check` finds that it is not."""
    return written_page.run("deploy.handbook", __doc__, PAGE, page)


if __name__ == "__main__":
    sys.exit(main())
