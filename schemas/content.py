"""The part of the policy about promotion texts: what they must not say, and what they must.

All texts here are compared as a person reads: without spaces and signs, in any width, case and script. The defaults are
in `content_defaults`; a list in the policy takes the place of the default list of that name.
"""

import unicodedata
from collections import Counter
from typing import Annotated, Any, Final

import re2
from pydantic import AfterValidator, Field

from schemas import content_defaults as defaults
from schemas.base import Name
from schemas.closed import Closed
from schemas.reading import SENTENCE_ENDS, is_read

_SIGNS: Final = frozenset(" 　，。、；：！？“”‘’「」『』（）《》【】—…")
_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_OPTIONS.case_sensitive = False


def compile_pattern(pattern: str) -> Any:
    """A regular expression of RE2, whose time grows with the text and never faster; raises re2.error."""
    return re2.compile(pattern, _OPTIONS)


def _readable(value: str) -> str:
    read = unicodedata.normalize("NFKC", value).casefold()
    if not any(map(is_read, read)):
        raise ValueError("holds no letter or digit, so there is nothing to be found")
    if SENTENCE_ENDS & set(read):
        raise ValueError("holds the end of a sentence, and nothing is found across one")
    return value


def _pattern(value: str) -> str:
    if found := sorted(_SIGNS & set(value)):
        raise ValueError(f"holds {' '.join(found)!r}, but texts are matched without spaces and signs")
    try:
        compiled = compile_pattern(value)
    except re2.error as error:
        raise ValueError(f"is not a regular expression of RE2: {_said(error)}") from None
    if compiled.search("") is not None:
        raise ValueError("finds something in an empty text, so the prompt would never be missing")
    return value


def _said(error: Exception) -> str:
    (said,) = error.args
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said)


def _once(phrases: list["Phrase"]) -> list["Phrase"]:
    times = Counter(phrase.text for phrase in phrases)
    if twice := sorted(text for text, number in times.items() if number > 1):
        raise ValueError(f"lists {', '.join(twice)} more than once")
    return phrases


Listed = Annotated[Name, AfterValidator(_readable)]
Pattern = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_pattern)]
Reach = Annotated[int, Field(ge=0, le=30)]


class Phrase(Closed):
    """A forbidden phrase. `instead`: the proposed rewording. `shadow`: found and counted, but no violation."""

    text: Listed
    instead: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    shadow: bool = False


class Prompt(Closed):
    """A sentence that must be there, or any text that one of the `patterns` (regular expressions of RE2) finds.

    Patterns see a text as it is compared: no spaces or signs, lower case, simplified script; `\\n` ends a sentence.
    """

    text: Listed
    patterns: Annotated[list[Pattern], Field(max_length=20)] = []


class ContentPolicy(Closed):
    """What promotion texts are held against.

    denials: words before a phrase that turn it into its opposite, and how many characters may stand between;
    refutations: likewise behind it. Neither reaches beyond a comma. false_denials: what only looks like one, a denial
    that is itself denied among them. exceptions: innocent texts that contain a phrase. disguises: what is written to
    evade, and what it stands for. prompts: all are mandatory.
    """

    phrases: Annotated[list[Phrase], Field(max_length=10_000), AfterValidator(_once)] = [
        Phrase(text=text, instead=instead) for text, instead in defaults.PHRASES.items()
    ]
    denials: dict[Listed, Reach] = defaults.DENIALS
    refutations: dict[Listed, Reach] = defaults.REFUTATIONS
    false_denials: list[Listed] = defaults.FALSE_DENIALS
    exceptions: list[Listed] = defaults.EXCEPTIONS
    disguises: dict[Listed, Listed] = defaults.DISGUISES
    prompts: Annotated[list[Prompt], Field(max_length=50)] = [
        Prompt(text=text, patterns=patterns) for text, patterns in defaults.PROMPTS.items()
    ]
