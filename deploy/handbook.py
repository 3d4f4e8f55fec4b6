"""`python -m deploy.handbook [--check]`: writes docs/indicators.md from the rules, or says that it is not current."""

import inspect
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from deploy import written_page
from services.indicators.registry import all_rules
from services.indicators.rule import AnyRule, Limits

PAGE: Final = Path(__file__).parents[1] / "docs" / "indicators.md"
_INTRO: Final = """\
# The indicators

Written from the rules by `python -m deploy.handbook`; do not edit. Every figure is a default of the policy, see
[deploy/policy.yaml](../deploy/policy.yaml); § is the chapter of the strategy that asks for it. How to add one:
[add-an-indicator.md](add-an-indicator.md).
"""
_JUDGED: Final = {
    "at once": "with every event",
    "at close": "when a pane closes",
    "both": "with every event, and when a pane closes",
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
    yield "| threshold | default | |"
    yield "|---|---|---|"
    yield from _thresholds(rule.limits)
    yield ""


def _about(rule: AnyRule) -> str:
    """What the file says of itself, and what the class adds."""
    module, own = inspect.getmodule(type(rule)), inspect.getdoc(type(rule)) or ""
    return f"{inspect.getdoc(module)}\n\n{own}" if module else own


def _facts(rule: AnyRule) -> Iterator[tuple[str, str]]:
    seconds = int(rule.clearing.hold.total_seconds())
    yield "subject", f"`{rule.subject}`"
    yield "reads", ", ".join(f"`{name}`" for name in rule.reads)
    yield "judged", _JUDGED[rule.judged]
    yield (
        "orders",
        ", ".join(f"`{action}` ({maturity})" for action, maturity in rule.actions.items()) or "none: alert only",
    )
    if rule.fires_after:
        yield "told", f"when it has lasted for {rule.fires_after // timedelta(minutes=1)} min"
    held = f" for {seconds // 60} min" if seconds else ""
    yield "over", "at midnight" if rule.per_day else f"under {rule.clearing.below:.0%} of the figure{held}"
    yield "runbook", f"[{rule.id}](../{rule.runbook})"


def _thresholds(limits: type[Limits]) -> Iterator[str]:
    defaults = limits().model_dump(mode="json")
    for name, field in limits.model_fields.items():
        meaning = " ".join((field.description or "").split())
        yield f"| `{name}` | `{defaults[name]}` | {meaning} |"


def main() -> int:
    """0 when the page is current or written, 1 when `--check` finds that it is not."""
    return written_page.run("deploy.handbook", __doc__, PAGE, page)


if __name__ == "__main__":
    sys.exit(main())
