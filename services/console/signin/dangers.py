"""Orders that ask once more, in words: somebody who has just proved who they are types the name of what it is about.
Pure."""

from typing import Final

from schemas import automation

DANGEROUS: Final = frozenset({"freeze", "take_down", "override", "automation_off", "high_risk_products"})
"""What stops most, what no automation may undo, and what keeps running what automation would stop."""
_HIGH_RISK: Final = "high-risk"


def asked_for(word: str, target: str) -> str:
    """What is to be typed: the name of the target as its page shows it."""
    if word == "high_risk_products":
        return _HIGH_RISK
    kind, _, name = target.partition(":")
    return kind if target == automation.TARGET else name


def is_confirmed(word: str, target: str, typed: str) -> bool:
    """Whether that has been typed; the whole target will do as well."""
    said = typed.strip().casefold()
    return word not in DANGEROUS or (said != "" and said in (asked_for(word, target).casefold(), target.casefold()))
