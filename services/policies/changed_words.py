"""Each difference between two policies as people read it, and whether it is one that others must agree to."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from schemas.base import Bilingual
from schemas.policy import Policy
from services.policies.differences import Changed, asks_fewer, becomes_auto, changes
from services.policies.meaning import meanings
from services.policies.words import ACTIONS

_PARTS: Final = {
    "enabled": Bilingual(en="judged at all", zh="是否启用"),
    "fire.hold": Bilingual(en="a breach must last", zh="超限须持续"),
    "clear.below": Bilingual(en="over when under this share of the figure", zh="低于阈值的此比例即解除"),
    "clear.hold": Bilingual(en="over when it has been under it for", zh="低于后须持续"),
}


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """where: the indicator, or the whole policy. subject: empty for all. needs_others: it lets more happen by itself,
    or asks fewer people."""

    where: Bilingual
    what: Bilingual
    subject: str
    path: str
    old: str | None
    new: str | None
    needs_others: bool


def changed_rows(before: Policy, after: Policy) -> list[ChangedRow]:
    """In the order of the document."""
    looser = [*becomes_auto(before, after), *asks_fewer(before, after)]
    known = {each.id: each for each in meanings(before)}
    whole = Bilingual(en="The whole policy", zh="策略整体")
    rows = []
    for each in changes(before, after):
        if each.path in ("name", "version"):  # what they are called, not what they mean
            continue
        about = known.get(each.indicator)
        figures = {} if about is None else {figure.name: figure.meaning for figure in about.figures}
        what = _part(each.name, figures)
        where = whole if about is None else about.title
        old, new = _written(each.old), _written(each.new)
        rows.append(ChangedRow(where, what, each.subject, each.path, old, new, _is_looser(each, looser)))
    return rows


def _part(name: str, meaning: dict[str, Bilingual]) -> Bilingual:
    """What a part of an indicator's policy is; of a figure what the rule says of it."""
    head, _, rest = name.partition(".")
    if head == "maturity":
        action = ACTIONS.get(rest, Bilingual(en="tell people", zh="告知"))
        return Bilingual(en=f"how far “{action.en}” goes", zh=f"“{action.zh}”的执行方式")
    if head == "thresholds":
        said = meaning.get(rest.split(".")[0])
        return said if said is not None and said.en else Bilingual(en=rest, zh=rest)
    if head == "resume":
        action_id, _, figure = rest.partition(".")
        action = ACTIONS.get(action_id, Bilingual(en=action_id, zh=action_id))
        return Bilingual(en=f"resuming after “{action.en}”: {figure}", zh=f"{action.zh}后的恢复：{figure}")
    return _PARTS.get(name, Bilingual(en=name, zh=name))


def _written(value: Any) -> str | None:
    if value is None:
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_looser(changed: Changed, looser: Sequence[str]) -> bool:
    if not changed.indicator:
        head = changed.name.split(".")[0]
        return any(line.startswith(f"{head}: ") for line in looser) and head in ("governor", "four_eyes")
    prefix = f"{changed.indicator}: "
    lines = [line.removeprefix(prefix) for line in looser if line.startswith(prefix)]
    return any(_concerns(changed.name, line) for line in lines if _same_subject(changed.subject, line))


def _same_subject(subject: str, line: str) -> bool:
    """What changes for all may let more happen on one that the policy names as well."""
    return not subject or line.endswith(f" on {subject}")


def _concerns(name: str, line: str) -> bool:
    action = line.removeprefix("resume after ").split(" ")[0]
    if line.startswith("resume after "):
        return name in (f"resume.{action}.auto", "enabled")
    return name in (f"maturity.{action}", "enabled")
