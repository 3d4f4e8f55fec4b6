"""What the audit tells of a target, in sentences. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from schemas.audit import AuditRecord, Outcome
from schemas.wording import phrase
from services.console.pages.frame.indicators import called
from services.console.pages.frame.speaking import Speaker
from services.incidents import explain_words, report_words

Tone = Literal["good", "waiting", "bad", "info"]
_TONES: Final[dict[Outcome, Tone]] = {
    "done": "good",
    "confirmed": "good",
    "delivered": "good",
    "waiting": "waiting",
    "masked": "waiting",
    "stale": "bad",
    "refused": "bad",
    "failed": "bad",
}


@dataclass(frozen=True, slots=True)
class Happened:
    """A record. note: what was said of it, empty for nothing."""

    record: AuditRecord
    sentence: str
    outcome: str
    tone: Tone
    note: str


def happened(record: AuditRecord, speaker: Speaker) -> Happened:
    """In the language of the one who reads."""
    note = record.note() or (record.reason() if record.outcome != "done" else None)
    outcome = speaker.text(report_words.OUTCOMES[record.outcome])
    return Happened(
        record,
        sentence(record, speaker),
        outcome,
        _TONES.get(record.outcome, "info"),
        "" if note is None else speaker.text(note),
    )


def sentence(record: AuditRecord, speaker: Speaker) -> str:
    """Who did what; how it came out is told beside it."""
    by, name, what = who(record.who, speaker), speaker.name(record.target), record.what
    if record.outcome in explain_words.IN_VAIN:
        word = speaker.text(explain_words.CALLED[what]) if what in explain_words.CALLED else what.replace("_", " ")
        return speaker.text(explain_words.IN_VAIN[record.outcome]).format(who=by, word=word, target=name)
    known = explain_words.ASKED if record.outcome == "waiting" else {}
    said = known.get(what) or explain_words.PEOPLES_WORDS.get(what)
    if said is not None:
        return speaker.text(said).format(who=by, target=name)
    order = phrase(what, [name], 0 if speaker.language == "en" else 1)
    return speaker.say(f"{by}: {order}", f"{by}：{order}")


def who(who: str, speaker: Speaker) -> str:
    """A person by name, an indicator by what it is about, and which part of Tidegate."""
    kind, _, name = who.partition(":")
    if kind == "person":
        return name
    if kind == "indicator":
        return speaker.text(called(name))
    return speaker.text(explain_words.PLATFORM if who == "reconciler" else explain_words.TIDEGATE)
