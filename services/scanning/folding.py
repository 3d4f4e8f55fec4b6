"""Reads a text as a person does: letters and digits, lower case, simplified script; all else is dropped.

Spaces, signs, zero-width and combining characters and emoji vanish, full width becomes half, and the end of a sentence
or line becomes `\\n`, so that nothing is found across it. From each character of the result there is a way back.
"""

import unicodedata
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import Final

from opencc import OpenCC

from schemas.reading import SENTENCE_ENDS, is_read

SENTENCE_END: Final = "\n"
_INVISIBLE: Final = ("Mn", "Me", "Cf")
_STEP: Final = 32


class _Table(dict[int, str]):
    """For `str.translate`: what each character becomes, worked out when it is first met."""

    def __init__(self) -> None:
        super().__init__()
        self._simplify = OpenCC("t2s").convert

    def __missing__(self, code: int) -> str:
        kept = "".join(map(_kept, unicodedata.normalize("NFKC", chr(code)).casefold()))
        self[code] = folded = self._simplify(kept) if kept else ""
        return folded


def _kept(character: str) -> str:
    if character in SENTENCE_ENDS:
        return SENTENCE_END
    return character if is_read(character) else ""


class Folder:
    """Folds texts. Building one loads the tables of scripts, a few milliseconds."""

    def __init__(self) -> None:
        self._table = _Table()

    def fold(self, body: str) -> "Folded":
        """The whole of a text, in steps so that the way back stays short."""
        return Folded(body, [body[at : at + _STEP].translate(self._table) for at in range(0, len(body), _STEP)])

    def text(self, body: str) -> str:
        """Only the folded text."""
        return body.translate(self._table)


class Folded:
    """A folded text and the way back."""

    def __init__(self, body: str, pieces: list[str]) -> None:
        self.body = body
        self.text = "".join(pieces)
        self._pieces = pieces

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(map(len, self._pieces)))

    def origin(self, index: int, folder: Folder) -> int:
        """Where in the body the character at `index` of the text comes from."""
        number = bisect_right(self._ends, index)
        piece = self.body[number * _STEP : (number + 1) * _STEP]
        within = index - (self._ends[number - 1] if number else 0)
        places = range(len(piece))
        return number * _STEP + bisect_right(places, within, key=lambda at: len(folder.text(piece[: at + 1])))


def visible_end(body: str, end: int) -> int:
    """`end`, moved behind the combining and invisible characters that belong to what stands before it."""
    while end < len(body) and unicodedata.category(body[end]) in _INVISIBLE:
        end += 1
    return end
