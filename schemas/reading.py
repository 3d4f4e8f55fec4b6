"""What of a promotion text is read when it is compared: letters and digits, within one sentence."""

import unicodedata
from typing import Final

SENTENCE_ENDS: Final = frozenset("。！？；!?;\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029")
_BLANK_LETTERS: Final = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters by their category, yet nothing is to be seen of them."""


def is_read(character: str) -> bool:
    """Whether it is a letter or digit that can be seen."""
    return unicodedata.category(character)[0] in "LN" and character not in _BLANK_LETTERS
