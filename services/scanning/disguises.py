"""What is written to evade, and what it stands for: undone in a folded text, with the way back."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass

from ahocorasick_rs import AhoCorasick, MatchKind


@dataclass(frozen=True, slots=True)
class _Edit:
    """`text[begin:end]` was `[was_begin:was_end]` before."""

    begin: int
    end: int
    was_begin: int
    was_end: int


class Plain:
    """A text without disguises."""

    def __init__(self, text: str, edits: list[_Edit]) -> None:
        self.text = text
        self._edits = edits

    def was_begin(self, index: int) -> int:
        """Where what is at `index` began before; inside a disguise, where that began."""
        edit = self._edit_at(index)
        if edit is None:
            return index
        return edit.was_begin if index < edit.end else index - edit.end + edit.was_end

    def was_end(self, index: int) -> int:
        """Where what ends before `index` ended before."""
        edit = self._edit_at(index - 1)
        if edit is None:
            return index
        return edit.was_end if index <= edit.end else index - edit.end + edit.was_end

    def _edit_at(self, index: int) -> _Edit | None:
        """The last one that begins at or before `index`."""
        number = bisect_right(self._edits, index, key=lambda edit: edit.begin)
        return self._edits[number - 1] if number else None


class Disguises:
    """Of folded texts; the longest at a place counts."""

    def __init__(self, table: Mapping[str, str]) -> None:
        self._meant = list(table.values())
        self._automaton = AhoCorasick(list(table), matchkind=MatchKind.LeftmostLongest)

    def undo(self, text: str) -> Plain:
        """The text as it was meant."""
        found = self._automaton.find_matches_as_indexes(text)
        if not found:
            return Plain(text, [])
        parts, edits, done, length = list[str](), list[_Edit](), 0, 0
        for number, begin, end in found:
            meant = self._meant[number]
            length += begin - done
            parts += (text[done:begin], meant)
            edits.append(_Edit(length, length + len(meant), begin, end))
            length, done = length + len(meant), end
        return Plain("".join((*parts, text[done:])), edits)
