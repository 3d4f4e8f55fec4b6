"""What is left of a customer's words after ingest: a short quote without what could name or reach a person.

Numbers, addresses and handles are masked. Names cannot be recognised for sure, so a quote is short, is kept of negative
mentions only, and goes nowhere but into the opinion report.
"""

import re
from typing import Final

QUOTE_CHARS: Final = 120
MASK: Final = "***"
_REACHABLE: Final = re.compile(
    r"""
    (?<!@)@*+[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+                # e-mail; no longer ones, since a text may be one word
    | (?<!@)@*+(?:https?://|www\.)\S+                         # links, which may carry an account
    | (?<!@)@++[^\s@，。！？,.!?:：]+                          # handles
    | (?:微信号?|[vV][xX]|[wW]e[cC]hat|[qQ]{2})\s*[:：]?\s*[A-Za-z0-9_-]{4,}
    | \d(?:[\s-]?[\dXx]){4,}                                  # phones, cards, identity numbers, amounts
    """,
    re.VERBOSE,
)


def quote(text: str) -> str:
    """The beginning of a text, on one line, masked before it is cut so that no half of a number stays."""
    masked = _REACHABLE.sub(MASK, " ".join(text.split()))
    return masked if len(masked) <= QUOTE_CHARS else f"{masked[: QUOTE_CHARS - 1]}…"
