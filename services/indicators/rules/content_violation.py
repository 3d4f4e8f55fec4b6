"""Published content breaks the rules for promotion texts: it is taken down on every channel, with a rewording proposed.

The body that stands on each channel is judged, and the worst one counts. The content has recovered when all are clean
or gone. What is tampered, and what is a correction, is told in services.indicators.subjects.postings: a body that names
the one which its reviewers saw must be that one; another body than before is tampered unless it corrects content in
trouble.

· 已发布内容违反宣传文案规则：从所有渠道下架，并给出建议文案。
按各渠道上现行的文案判断，以最严重者为准；全部合规或下架后视为恢复。
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

from schemas.base import Bilingual
from schemas.closed import Duration
from services.indicators.examples import event, fires, silent
from services.indicators.rule import Case, Limits, Order, Rule, Verdict, Words, graded
from services.indicators.subjects.content import PANE_MS, ContentView
from services.indicators.subjects.postings import Posting
from services.indicators.verdicts.telling import joined
from services.indicators.verdicts.tuning import MS
from services.indicators.windows.days import Span
from services.scanning import wording
from services.scanning.report import Figures, Finding

SHOWN: Final = 10
"""So many findings are told: a person mends the text, and then scans it again."""
AROUND: Final = 20
"""So many characters are shown on each side of a place."""
MAX_CHANNELS: Final = 50
MAX_NAME: Final = 40
MAX_SENTENCE: Final = 300
MAX_PROPOSED: Final = 4_000
CALLS_AT: Final = 2
"""The level of the alert at which people are called again: the take-down was not confirmed in time."""
_ADVICE: Final = Bilingual(
    en="The evidence proposes a rewording. Publish the corrected text under the same id, then lift the hold.",
    zh="证据中附有建议改写；请以同一编号发布修改后的文本，再解除下架。",
)
_TAMPERED: Final = {"unreviewed": wording.unreviewed(), "changed": wording.changed()}


class ContentViolationLimits(Limits, Figures):
    """Figures of content_violation, beside those that a scan knows."""

    take_down_within: Duration = timedelta(minutes=30)
    """What still stands in violation so long after the first finding is for people.
    · 首次发现后超过此时长仍违规的，转人工处理。"""


class Wrong(NamedTuple):
    """A body that stands on a channel, and what is wrong with it."""

    posting: Posting
    findings: list[Finding]
    proposed: str


_Case = Case[ContentView, ContentViolationLimits]
_PROMPTS: Final = "投资有风险，历史业绩不代表未来表现。"


def _published(body: str, second: float = 0, **more: Any) -> Any:
    said = {"channel_id": "douyin", "content_id": "c-1", "body": body, "reviewers": ["wang", "li"], **more}
    return event("content_published", second, **said)


class ContentViolation(Rule[ContentView, ContentViolationLimits]):
    """Judged with every posting; what is in trouble again at each close, for the deadline.

    · 每次发布时判断；存在问题的在每个时间片结束时复查期限。
    """

    id, subject, judged, reads = "content_violation", "content", "at once", ("postings",)
    title, source = Bilingual(en="Content breaks the rules of promotion", zh="宣传内容违规"), "3.3, 4.3, 9.2, 9.3"
    actions = {"take_down": "auto", "escalate": "auto"}
    limits = ContentViolationLimits
    examples = (
        fires(_published("本产品稳 赚 不 赔！" + _PROMPTS)),
        silent(_published("本产品不承诺保本。" + _PROMPTS)),
        fires(_published("稳健理财，投资有风险。")),
        fires(_published(_PROMPTS, disclosure_share=0.14)),
        silent(_published(_PROMPTS, disclosure_share=0.15, disclosure_font_ratio=1.5)),
        fires(_published(_PROMPTS, disclosure_font_ratio=1.4)),
        fires(_published(_PROMPTS, reviewers=["wang", "wang"])),
        fires(_published(_PROMPTS), _published("全新升级。" + _PROMPTS, 60)),
    )

    def judge(self, view: ContentView, limits: ContentViolationLimits, now_ms: int) -> Verdict:
        """By the most findings on any channel."""
        standing = view.standing(now_ms)
        worst = max((len(each.findings) for each in _wrong(standing, view, limits)), default=0)
        return graded(worst, (1,), Span(now_ms - PANE_MS, now_ms), samples={"channels": len(standing)})

    def orders(self, case: _Case) -> Iterable[Order]:
        """Takes it down everywhere, anew for each body that has been published since; then calls people."""
        wrong = _wrong_in(case)
        if wrong:
            yield Order("take_down", case.subject, 1 + max(each.posting.round for each in wrong))
        if wrong and _is_overdue(case):
            yield Order("escalate", case.subject, CALLS_AT, reason=_overdue(case, wrong))

    def detail(self, case: _Case) -> Mapping[str, Any]:
        """The worst body: what is wrong with it and where, and how it might be worded."""
        wrong, standing = _wrong_in(case), case.view.standing(case.now_ms)
        posting, findings, proposed = wrong[0]
        return {
            "channels": [each.channel for each in standing[:MAX_CHANNELS]],
            "in_violation": [each.posting.channel for each in wrong[:MAX_CHANNELS]],
            "product": posting.product,
            "fingerprint": posting.fingerprint,
            "findings": [_shown(finding, posting.body or "") for finding in findings[:SHOWN]],
            "more_findings": max(len(findings) - SHOWN, 0),
            "proposed": _clipped(proposed, MAX_PROPOSED),
        }

    def words(self, case: _Case) -> Words:
        """What is wrong where, and what to do."""
        wrong = _wrong_in(case)
        (first, *others), where = [finding.text for finding in wrong[0].findings], _channels(case, wrong)
        more = len(others)
        return Words(
            Bilingual(
                en=f"Content {case.name} on {where.en}: {_line(first.en)}" + (f", and {more} more" if more else ""),
                zh=f"内容 {case.name}（{where.zh}）：{_line(first.zh)}" + (f"，另有 {more} 处问题" if more else ""),
            ),
            joined(*_late(case, wrong), *_besides(others[:2]), _ADVICE),
        )


def _wrong(standing: Sequence[Posting], view: ContentView, limits: ContentViolationLimits) -> list[Wrong]:
    """The worst first."""
    found = [_judged(posting, view, limits) for posting in standing]
    return sorted((each for each in found if each.findings), key=lambda each: -len(each.findings))


def _wrong_in(case: _Case) -> list[Wrong]:
    return _wrong(case.view.standing(case.now_ms), case.view, case.limits)


def _judged(posting: Posting, view: ContentView, limits: ContentViolationLimits) -> Wrong:
    report = view.report(posting, limits)
    tampered = [_TAMPERED[posting.tampered]] if posting.tampered else []
    return Wrong(posting, [*tampered, *(each for each in report.findings if not each.shadow)], report.proposed)


def _is_overdue(case: _Case) -> bool:
    within = case.limits.take_down_within // MS
    return case.closing and case.tripped_ms is not None and case.now_ms - case.tripped_ms >= within


def _overdue(case: _Case, wrong: Sequence[Wrong]) -> Bilingual:
    where, minutes = _channels(case, wrong), case.limits.take_down_within // timedelta(minutes=1)
    return Bilingual(
        en=f"Content {case.name} still stands on {where.en} after {minutes} minutes",
        zh=f"内容 {case.name} 逾 {minutes} 分钟仍未从{where.zh}下架",
    )


def _late(case: _Case, wrong: Sequence[Wrong]) -> Iterator[Bilingual]:
    if _is_overdue(case):
        late = _overdue(case, wrong)
        yield Bilingual(en=f"{late.en}; have it removed by hand.", zh=f"{late.zh}，请人工下架。")


def _besides(found: Sequence[Bilingual]) -> Iterator[Bilingual]:
    if found:
        en, zh = "; ".join(_line(each.en) for each in found), "；".join(_line(each.zh) for each in found)
        yield Bilingual(en=f"Besides: {en}.", zh=f"此外：{zh}。")


def _channels(case: _Case, wrong: Sequence[Wrong]) -> Bilingual:
    names = [each.posting.channel for each in wrong]
    labels = [_label(case, name) for name in names[:3]]
    more = len(names) - 3
    return Bilingual(
        en=", ".join(each.en for each in labels) + (f" and {more} more" if more > 0 else ""),
        zh="、".join(each.zh for each in labels) + (f"等 {len(names)} 个渠道" if more > 0 else ""),
    )


def _label(case: _Case, channel: str) -> Bilingual:
    short = _clipped(channel, MAX_NAME)
    return case.around.policy.directory.label(f"channel:{channel}") or Bilingual(en=short, zh=short)


def _shown(finding: Finding, body: str) -> dict[str, Any]:
    """A finding with its place marked in the original, and beside it the rewording."""
    shown: dict[str, Any] = {
        "kind": finding.kind,
        "phrase": finding.phrase,
        "begin": finding.begin,
        "end": finding.end,
        "instead": finding.instead,
        "text": {"en": _line(finding.text.en), "zh": _line(finding.text.zh)},
    }
    if finding.begin is not None and finding.end is not None:
        before, after = body[max(finding.begin - AROUND, 0) : finding.begin], body[finding.end : finding.end + AROUND]
        shown["original"] = _line(f"{before}〔{_clipped(finding.found or '', MAX_SENTENCE // 2)}〕{after}")
        shown["reworded"] = None if finding.instead is None else _line(f"{before}〔{finding.instead}〕{after}")
    return shown


def _line(text: str) -> str:
    """On one line, with what is invisible made a space."""
    return "".join(each if each.isprintable() else " " for each in _clipped(text, MAX_SENTENCE))


def _clipped(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1] + "…"
