"""Whether the words around a phrase turn it into its opposite. All texts are folded."""

from collections.abc import Iterable, Mapping
from typing import Final

from ahocorasick_rs import AhoCorasick

_BLANK: Final = "\n"


class Denials:
    """Words shortly before a phrase (`不承诺…`) and shortly after it (`…是骗局`), each with its own reach.

    false: what only looks like one of them (`无不`, `不是骗局`), a denial that is itself denied among them: grammar is
    not guessed at, so `不承诺不保证…` stays a denial.
    """

    def __init__(self, before: Mapping[str, int], after: Mapping[str, int], false: Iterable[str]) -> None:
        self._before, self._reach_before = AhoCorasick(list(before)), list(before.values())
        self._after, self._reach_after = AhoCorasick(list(after)), list(after.values())
        self._span = max((len(word) + reach for word, reach in (*before.items(), *after.items())), default=0)
        self._false = AhoCorasick(list(false))

    def near(self, text: str, begin: int, end: int) -> bool:
        """Whether any such word is within reach of the place, be it in another clause: most often none is."""
        return self._within_reach(text[max(begin - self._span, 0) : begin], text[end : end + self._span])

    def deny(self, before: str, after: str) -> bool:
        """What stands in the same clause before a phrase, and after it."""
        return self._within_reach(self._blanked(before), self._blanked(after))

    def _within_reach(self, before: str, after: str) -> bool:
        found_before = self._before.find_matches_as_indexes(before, overlapping=True)
        found_after = self._after.find_matches_as_indexes(after, overlapping=True)
        return any(len(before) - end <= self._reach_before[number] for number, _, end in found_before) or any(
            begin <= self._reach_after[number] for number, begin, _ in found_after
        )

    def _blanked(self, text: str) -> str:
        for _, begin, end in self._false.find_matches_as_indexes(text, overlapping=True):
            text = text[:begin] + _BLANK * (end - begin) + text[end:]
        return text
