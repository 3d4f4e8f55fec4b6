"""A list of words in CSV, columns `word` and `severity`, as phrases of the policy.

Only words of severity `block` are violations. The others fire too often in innocent texts (`第一`, `最好`) and go into
shadow: they are found and counted until somebody decides on each.
"""

import csv
import re
from collections.abc import Iterable
from typing import Final

from schemas.content import Phrase

_CONDITION: Final = re.compile(r"（.*?）|\(.*?\)")
"""`成本价（非真实时）`: when the word is wrong is for a person to judge, so such a word is in shadow too."""
_PLACEHOLDER: Final = "XX"
"""`比XX好10倍` stands for many texts; it is no phrase."""


class WordListError(ValueError):
    """A file that is no list of words."""


def phrases_of(lines: Iterable[str]) -> list[Phrase]:
    """The phrases of a CSV file, each once, violations first; raises WordListError."""
    shadow: dict[str, bool] = {}
    for row in csv.DictReader(lines):
        if (written := row.get("word")) is None:
            raise WordListError("has no column 'word'")
        word = _CONDITION.sub("", written).strip()
        if word and _PLACEHOLDER not in word:
            blocks = row.get("severity") == "block" and word == written.strip()
            shadow[word] = shadow.get(word, True) and not blocks
    return [
        Phrase(text=word, shadow=only_watched) for word, only_watched in sorted(shadow.items(), key=lambda one: one[1])
    ]


def joined(own: list[Phrase], more: list[Phrase]) -> list[Phrase]:
    """The policy's own phrases, which know their rewording, and those of a list that it does not have."""
    known = {phrase.text for phrase in own}
    return [*own, *(phrase for phrase in more if phrase.text not in known)]
