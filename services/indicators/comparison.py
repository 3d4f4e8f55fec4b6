"""The trailing day of a channel against the days before it: what the rules that compare the two have in common."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import Field

from schemas.base import Bilingual
from services.indicators.rule import Verdict, graded, unsure
from services.indicators.statistics import surely_lower
from services.indicators.subjects.channel_view import ChannelView
from services.indicators.verdicts.telling import joined
from services.indicators.windows.baselines import DAY_MS, Baseline
from services.indicators.windows.days import Span

HOURS: Final = 24
DAYS: Final = 7
PATIENCE: Final = timedelta(hours=2)
"""How long a change must have lasted: as long as a feed may be silent. Until then what is missing may be on its way."""

Confidence = Annotated[float, Field(ge=0, lt=1)]
"""How sure it must be that a change is more than chance. 0: it need not be."""

Wander = Annotated[float, Field(ge=0, lt=1)]
"""By how much a day's ratio differs from another's for no reason that anyone would look for: the standard deviation, as
a share. It counts as chance, and is what is left of that on a large channel."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """`part` ÷ `whole`, kept as integers, so that a change of exactly 20 % is not lost to binary fractions."""

    part: int
    whole: int

    @property
    def value(self) -> float:
        """The quotient."""
        return self.part / self.whole

    def rise_over(self, other: "Ratio") -> float:
        """By which share of another it is above that, below zero if it is under it; 0 over a ratio of zero."""
        base = other.part * self.whole
        return (self.part * other.whole - base) / base if base else 0.0


def both(view: ChannelView, part: str, whole: str, day: Span, base: Baseline) -> tuple[Ratio, Ratio]:
    """A ratio of two measures over a day, and over the days that it is compared with."""
    now, before = (
        Ratio(*(sum(view.total(measure, span) for span in spans) for measure in (part, whole)))
        for spans in ((day,), base.spans)
    )
    return now, before


def compared_with(base: Baseline) -> dict[str, Any]:
    """For the evidence: with how many days was compared, and what is to be said of them."""
    days = sum(span.end - span.start for span in base.spans) // DAY_MS
    return {"days": days} | ({"baseline": base.note.model_dump()} if base.note else {})


def before_words(detail: Mapping[str, Any]) -> Bilingual:
    """How a sentence names the days that were compared with."""
    days = detail.get("days", DAYS)
    if days == DAYS:
        return Bilingual(en=f"in the {DAYS} days before", zh=f"此前 {DAYS} 天")
    return Bilingual(en=f"on the {days} comparable days of the {DAYS} before", zh=f"此前 {DAYS} 天中同类的 {days} 天")


def with_note(summary: Bilingual, detail: Mapping[str, Any]) -> Bilingual:
    """A summary, with what is to be said of the baseline."""
    note = detail.get("baseline")
    return joined(summary, Bilingual.model_validate(note)) if note else summary


def silence(view: ChannelView, topics: Sequence[str], now_ms: int) -> str | None:
    """Which feed is too quiet to judge by."""
    return next((f"nothing comes in on {topic}" for topic in topics if view.silent(topic, now_ms)), None)


def newness(view: ChannelView, topics: Sequence[str], day: Span) -> str | None:
    """Which feed has not been there for long enough to compare with."""
    before = view.before(day, 24 * DAYS)
    found = (f"too little is known of {topic} before" for topic in topics if not view.reaches(topic, before))
    return next(found, None)


def changed(
    change: float,
    limit: float,
    day: Span,
    *,
    lower: Ratio,
    than: Ratio,
    confidence: float,
    wander: float,
    **more: Any,
) -> Verdict:
    """A change held against its limit; unsure where it reaches that, and it may be chance that one ratio is lower."""
    if change >= limit and surely_lower(lower.part, lower.whole, than.part, than.whole, wander) < confidence:
        return unsure(change, limit, day, "may be chance", samples=more["samples"])
    return graded(change, [limit], day, **more)


def fallen(
    view: ChannelView,
    part: str,
    whole: str,
    now_ms: int,
    *,
    topics: Sequence[str],
    least: int,
    limit: float,
    confidence: float,
    wander: float,
) -> Verdict:
    """By which share part ÷ whole has fallen; `least` of the whole are needed in both spans."""
    day = view.trailing(now_ms, HOURS)
    base = view.baseline(now_ms, topics)
    now, before = both(view, part, whole, day, base)
    samples = {part: now.part, whole: now.whole, f"{part}_before": before.part, f"{whole}_before": before.whole}
    if min(now.whole, before.whole) < least:
        return unsure(0.0, limit, day, f"too few {whole}", samples=samples)
    fall = 0.0 - now.rise_over(before)
    if why := silence(view, topics, now_ms) or newness(view, topics, day):
        return unsure(fall, limit, day, why, samples=samples)
    rates = {"rate": now.value, "rate_before": before.value, **compared_with(base)}
    sure = {"confidence": confidence, "wander": wander}
    return changed(fall, limit, day, lower=now, than=before, **sure, samples=samples, detail=rates)
