"""The fingerprint of a body, by which a text that was changed after its review is known."""

import re
import unicodedata
from hashlib import sha256
from typing import Final

_IDLE_SPACE: Final = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")
"""All but what keeps Latin words and numbers apart."""


def fingerprint(body: str) -> str:
    """64 hex digits, the same under any policy.

    Blind to what platforms change by themselves: width, line breaks, spaces, invisible characters. Signs and case
    count, since 3.5% is not 35%.
    """
    normal = unicodedata.normalize("NFKC", body)
    visible = "".join(character for character in normal if unicodedata.category(character) not in ("Cf", "Cs"))
    return sha256(_IDLE_SPACE.sub("", " ".join(visible.split())).encode()).hexdigest()
