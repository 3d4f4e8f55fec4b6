"""Why a record became a dead letter, in one of few words: for counting. People read its `errors`."""

from collections.abc import Sequence
from typing import Final

from schemas.dead_letters import Problem
from services.ingest.reading.validation import AHEAD

OTHER: Final = "bad_value"
REASONS: Final = {
    "is not valid JSON": "no_json",
    "is not a JSON object": "no_json",
    "is larger than": "too_large",
    "is nested too deeply": "no_json",
    "is a batch": "unreadable",
    "is a control record": "control",
    "is required": "missing_field",
    "is none of": "unknown_word",
    AHEAD.problem: "ahead_of_time",
}
"""How the first problem begins, and the word for it."""


def reason_of(problems: Sequence[Problem]) -> str:
    """The word for the first problem."""
    text = problems[0].problem
    if "belongs on the topic" in text:
        return "wrong_topic"
    return next((word for begin, word in REASONS.items() if text.startswith(begin)), OTHER)
