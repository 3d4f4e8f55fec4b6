"""What a scan is given and what it says."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Bilingual, Message, Text
from schemas.closed import Closed
from schemas.policy import IndicatorPolicy, Policy

Kind = Literal["phrase", "missing_prompt", "disclosure_share", "disclosure_font", "reviewers", "tampered"]
"""`tampered` is for those to say who know the same content from before."""
Share = Annotated[float, Field(ge=0, le=1)]
Ratio = Annotated[float, Field(ge=0, le=100)]
People = Annotated[int, Field(ge=0, le=50)]


class Figures(Closed):
    """What the rest of a material is held against. Names as under the policy's `content_violation.thresholds`."""

    disclosure_share: Share = 0.15
    """The least share of the risk disclosure in the whole. · 风险披露占全文的最低比例。"""
    disclosure_font_ratio: Ratio = 1.5
    """How much larger than the body its type must be. · 风险披露字号须为正文的倍数。"""
    reviewers: People = 2
    """So many different people must have reviewed it. · 须由此数量的不同人员审核。"""


class Material(Closed):
    """A promotion text, and what is known of its risk disclosure and review. What is absent is not judged."""

    body: Text
    disclosure_share: Annotated[Share | None, Field(description="Of the whole, 0 to 1.")] = None
    disclosure_font_ratio: Annotated[Ratio | None, Field(description="Its type to the body's.")] = None
    reviewers: Annotated[People | None, Field(description="How many different people have reviewed it.")] = None


class Finding(Message):
    """One thing that is wrong. begin, end: the place in the body, end exclusive, where there is one.

    found: the body's own characters there. instead: the proposed rewording, or the prompt that is missing.
    """

    kind: Kind
    phrase: str | None = None
    found: str | None = None
    begin: int | None = None
    end: int | None = None
    instead: str | None = None
    shadow: bool = False
    text: Bilingual


class Report(Message):
    """All that was found, in the order of the text. proposed: the body with every rewording applied."""

    violated: bool
    findings: list[Finding]
    proposed: str


def figures_in(policy: Policy) -> Figures:
    """The policy's figures for content, without overrides; raises ValidationError where they are none."""
    given = policy.indicators.get("content_violation", IndicatorPolicy()).thresholds
    return Figures.model_validate({name: given[name] for name in Figures.model_fields if name in given})
