"""The fingerprint of a body, by which a text that was changed after its review is known."""

import re
import unicodedata
from hashlib import sha256
from typing import Final

_IDLE_SPACE: Final = re.compile(r"(?<![0-9A-Za-z]) | (?![0-9A-Za-z])")
"""All but what keeps Latin words and numbers apart."""


class _Table(dict[int, str]):
    """For `str.translate`: each character in its usual width, what is invisible left out; worked out when first met."""

    def __missing__(self, code: int) -> str:
        normal = unicodedata.normalize("NFKC", chr(code))
        self[code] = visible = "".join(each for each in normal if unicodedata.category(each) not in ("Cf", "Cs"))
        return visible


_VISIBLE: Final = _Table()


def fingerprint(body: str) -> str:
    """64 hex digits, the same under any policy.

    Blind to what platforms change by themselves: width, line breaks, spaces, invisible characters. Signs and case
    count, since 3.5% is not 35%.
    """
    normal = unicodedata.normalize("NFKC", body.translate(_VISIBLE))  # again, for what combines; most often a glance
    return sha256(_IDLE_SPACE.sub("", " ".join(normal.split())).encode()).hexdigest()
