"""Holds a promotion text against the content part of a policy. Pure: the same material gives the same report.

scanner = Scanner(policy.content)          # some milliseconds: keep it while the policy is in force
report = scanner.scan(Material(body="…"), figures_in(policy))
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ahocorasick_rs import AhoCorasick

from schemas.content import ContentPolicy, Phrase, Prompt, compile_pattern
from schemas.reading import SENTENCE_ENDS
from services.scanning import wording
from services.scanning.denials import Denials
from services.scanning.disguises import Disguises, Plain
from services.scanning.folding import Folded, Folder, visible_end
from services.scanning.report import Figures, Finding, Material, Report

MAX_FINDINGS: Final = 100
"""At most so many phrases are told of one text, and as many in shadow: nobody reads more."""
_MAX_DENIED: Final = 1000
"""From so many phrases on nobody is believed to deny them, and no text takes long."""
_AROUND: Final = 40
"""So many characters around a phrase are looked at for a denial."""
_CLAUSE_END: Final = re.compile("[，," + re.escape("".join(sorted(SENTENCE_ENDS))) + "]")

_Meaning = Phrase | None
"""What a text that was found stands for: a phrase, or None for an exception."""


@dataclass(frozen=True, slots=True)
class _Reading:
    """A body as it is searched, and the way back."""

    folded: Folded
    plain: Plain

    @property
    def text(self) -> str:
        return self.plain.text

    def place(self, begin: int, end: int, folder: Folder) -> tuple[int, int]:
        """Where in the body the text from `begin` to `end` stands."""
        body, first = self.folded.body, self.folded.origin(self.plain.was_begin(begin), folder)
        last = first + end - begin - 1
        if body[first : last + 1] != self.text[begin:end]:
            last = self.folded.origin(self.plain.was_end(end) - 1, folder)
        return first, visible_end(body, last + 1)


class Scanner:
    """A policy's lists, compiled."""

    def __init__(self, policy: ContentPolicy) -> None:
        self._folder = Folder()
        fold = self._folder.text
        self._disguises = Disguises({fold(each): fold(meant) for each, meant in policy.disguises.items()})
        self._denials = Denials(
            {fold(word): reach for word, reach in policy.denials.items()},
            {fold(word): reach for word, reach in policy.refutations.items()},
            map(fold, policy.false_denials),
        )
        self._prompts = [
            (prompt, self._plain(prompt.text), [compile_pattern(each) for each in prompt.patterns])
            for prompt in policy.prompts
        ]
        listed: list[tuple[str, _Meaning]] = [(each, None) for each in policy.exceptions]
        listed += [(each.text, each) for each in sorted(policy.phrases, key=lambda phrase: phrase.shadow)]
        meanings: dict[str, _Meaning] = {}
        for text, meaning in listed:
            meanings.setdefault(self._plain(text), meaning)
        self._meanings = list(meanings.values())
        self._automaton = AhoCorasick(list(meanings))

    def scan(self, material: Material, figures: Figures) -> Report:
        """Everything that is wrong with a material."""
        reading = self._read(material.body)
        matches = self._automaton.find_matches_as_indexes(reading.text, overlapping=True)
        phrases = self._phrases(reading, matches)
        prompts = [wording.missing(prompt) for prompt in self._missing(reading.text)]
        findings = [*phrases, *prompts, *_figures(material, figures)]
        return Report(
            violated=any(not finding.shadow for finding in findings),
            findings=findings,
            proposed=_proposed(material.body, findings),
        )

    def _read(self, body: str) -> _Reading:
        folded = self._folder.fold(body)
        return _Reading(folded, self._disguises.undo(folded.text))

    def _plain(self, body: str) -> str:
        return self._disguises.undo(self._folder.text(body)).text

    def _phrases(self, reading: _Reading, matches: Sequence[tuple[int, int, int]]) -> list[Finding]:
        """Real ones first: a word in shadow that overlaps one of them says nothing more."""
        hits = list(self._uncovered(matches))
        real = self._standing(reading, [hit for hit in hits if not hit[2].shadow])
        shadow = self._standing(reading, [hit for hit in hits if hit[2].shadow])
        beside = [one for one in shadow if not any(_overlap(one, other) for other in real)]
        return sorted((*real, *beside), key=lambda finding: finding.begin or 0)

    def _uncovered(self, matches: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int, Phrase]]:
        """The phrases outside of exceptions, the first and longest first."""
        covered_to = 0
        found = [(begin, -end, self._meanings[number]) for number, begin, end in matches]
        for begin, back, meaning in sorted(found, key=lambda one: (one[0], one[2] is not None, one[1])):
            if meaning is None:
                covered_to = max(covered_to, -back)
            elif -back > covered_to:
                yield begin, -back, meaning

    def _standing(self, reading: _Reading, hits: Sequence[tuple[int, int, Phrase]]) -> list[Finding]:
        """Those that are meant. What overlaps one that came before shares its fate."""
        body, done, found = reading.folded.body, 0, list[Finding]()
        for number, (begin, end, phrase) in enumerate(hits):
            if len(found) == MAX_FINDINGS:
                break
            if begin < done:
                continue
            place = reading.place(begin, end, self._folder)
            if _has_latin_edge(reading.text[begin:end]) and self._is_part_of_a_word(body, *place):
                continue
            done = end
            near = number < _MAX_DENIED and self._denials.near(reading.text, begin, end)
            if not (near and self._denied(body, *place)):
                found.append(wording.phrase(phrase, body, *place))
        return found

    def _is_part_of_a_word(self, body: str, begin: int, end: int) -> bool:
        """Whether a Latin word or a number goes on beyond the phrase: `0元` is not in `100元`."""
        left, right = body[max(begin - 1, 0) : begin + 1], body[end - 1 : end + 1]
        return any(_goes_on(self._folder.text(both)) for both in (left, right))

    def _denied(self, body: str, begin: int, end: int) -> bool:
        before = _CLAUSE_END.split(body[max(begin - _AROUND, 0) : begin])[-1]
        after = _CLAUSE_END.split(body[end : end + _AROUND], maxsplit=1)[0]
        return self._denials.deny(self._plain(before), self._plain(after))

    def _missing(self, text: str) -> Iterator[Prompt]:
        for prompt, plain, patterns in self._prompts:
            if plain not in text and not any(pattern.search(text) for pattern in patterns):
                yield prompt


def _has_latin_edge(text: str) -> bool:
    return text[0].isascii() or text[-1].isascii()


def _goes_on(both: str) -> bool:
    return len(both) == 2 and both.isascii() and (both.isalpha() or both.isdigit())


def _overlap(one: Finding, other: Finding) -> bool:
    return (one.begin or 0) < (other.end or 0) and (other.begin or 0) < (one.end or 0)


def _figures(material: Material, figures: Figures) -> Iterator[Finding]:
    if material.disclosure_share is not None and material.disclosure_share < figures.disclosure_share:
        yield wording.disclosure_share(material.disclosure_share, figures.disclosure_share)
    if material.disclosure_font_ratio is not None and material.disclosure_font_ratio < figures.disclosure_font_ratio:
        yield wording.disclosure_font(material.disclosure_font_ratio, figures.disclosure_font_ratio)
    if material.reviewers is not None and material.reviewers < figures.reviewers:
        yield wording.reviewers(material.reviewers, figures.reviewers)


def _proposed(body: str, findings: Sequence[Finding]) -> str:
    """Shadow words stay; missing prompts are put below."""
    parts, done = list[str](), 0
    for finding in findings:
        if finding.begin is not None and finding.end is not None and finding.instead is not None and not finding.shadow:
            parts += (body[done : finding.begin], finding.instead)
            done = finding.end
    prompts = "".join(f"{each.instead}。" for each in findings if each.kind == "missing_prompt")
    return "".join(parts) + body[done:] + (f"\n{prompts}" if prompts else "")
