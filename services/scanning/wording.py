"""Each finding in one sentence for people, in both languages."""

from schemas.base import Bilingual
from schemas.content import Phrase, Prompt
from services.scanning.report import Finding


def phrase(listed: Phrase, body: str, begin: int, end: int) -> Finding:
    """A forbidden phrase that stands at this place of the body."""
    found = body[begin:end]
    disguised = found != listed.text
    en = f"“{found}” stands for the forbidden phrase “{listed.text}”" if disguised else f"“{found}” is forbidden"
    zh = f"“{found}”即禁用语“{listed.text}”" if disguised else f"“{found}”为禁用语"
    if listed.instead is not None:
        en, zh = f"{en}; write “{listed.instead}”", f"{zh}，建议改为“{listed.instead}”"
    if listed.shadow:
        en, zh = f"{en} (only watched)", f"{zh}（仅观察）"
    return Finding(
        kind="phrase",
        phrase=listed.text,
        found=found,
        begin=begin,
        end=end,
        instead=listed.instead,
        shadow=listed.shadow,
        text=Bilingual(en=en, zh=zh),
    )


def missing(prompt: Prompt) -> Finding:
    """A mandatory prompt that is not there."""
    text = Bilingual(en=f"The prompt “{prompt.text}” is missing", zh=f"缺少必备提示“{prompt.text}”")
    return Finding(kind="missing_prompt", phrase=prompt.text, instead=prompt.text, text=text)


def disclosure_share(share: float, least: float) -> Finding:
    """Too little of the content is risk disclosure."""
    text = Bilingual(
        en=f"Risk disclosure is {share:.1%} of the content, at least {least:.1%} is required",
        zh=f"风险揭示占比{share:.1%}，低于要求的{least:.1%}",
    )
    return Finding(kind="disclosure_share", text=text)


def disclosure_font(ratio: float, least: float) -> Finding:
    """The risk disclosure is set too small."""
    text = Bilingual(
        en=f"Risk disclosure is set at {ratio:g} × the body type, at least {least:g} × is required",
        zh=f"风险揭示字号为正文的{ratio:g}倍，低于要求的{least:g}倍",
    )
    return Finding(kind="disclosure_font", text=text)


def reviewers(number: int, least: int) -> Finding:
    """Too few people have looked at it."""
    text = Bilingual(
        en=f"Reviewed by {number} different people, at least {least} are required",
        zh=f"仅{number}名不同审核人，要求至少{least}名",
    )
    return Finding(kind="reviewers", text=text)


def unreviewed() -> Finding:
    """It is not the body that its reviewers saw."""
    text = Bilingual(en="The text is not the one that its reviewers saw", zh="文本与审核人所见不一致")
    return Finding(kind="tampered", text=text)


def changed() -> Finding:
    """It is another body than the same content had before."""
    text = Bilingual(
        en="The text has changed since it was first published, and no review of it is known",
        zh="文本自首次发布后被改动，且无对应审核记录",
    )
    return Finding(kind="tampered", text=text)
