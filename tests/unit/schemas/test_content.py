"""A policy's lists are refused where they could not work, with words that say why."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.content import ContentPolicy, Phrase, Prompt
from services.scanning.scanner import Scanner


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ({"phrases": [{"text": "稳赚！"}]}, "holds the end of a sentence"),
        ({"phrases": [{"text": "…"}]}, "holds no letter or digit"),
        ({"phrases": [{"text": "\u3164"}]}, "holds no letter or digit"),
        ({"phrases": [{"text": "\ufc5e"}]}, "holds no letter or digit"),
        ({"phrases": [{"text": "稳赚｡"}]}, "holds the end of a sentence"),
        ({"phrases": [{"text": "保本"}, {"text": "保本"}]}, "lists 保本 more than once"),
        ({"phrases": [{"text": "保本", "insted": "x"}]}, "not permitted"),
        ({"exceptions": ["投保。本"]}, "holds the end of a sentence"),
        ({"disguises": {"-": "本"}}, "holds no letter or digit"),
        ({"denials": {"不": -1}}, "greater than or equal to 0"),
        ({"denials": ["不"]}, "valid dictionary"),
        ({"prompts": [{"text": "有风险", "patterns": ["(投资"]}]}, "missing )"),
        ({"prompts": [{"text": "有风险", "patterns": ["投资，有风险"]}]}, "without spaces and signs"),
        ({"prompts": [{"text": "有风险", "patterns": ["(风险)*"]}]}, "in an empty text"),
        ({"prompts": [{"text": "有风险", "patterns": ["(?=风险)"]}]}, "is not a regular expression of RE2"),
        ({"prompts": [{"text": "有风险", "patterns": ["风" * 201]}]}, "at most 200"),
    ],
)
def test_what_could_not_work_is_refused(part: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ContentPolicy.model_validate(part)
    assert says in str(caught.value)


@given(st.text(min_size=1, max_size=5))
def test_what_is_accepted_can_be_compiled(text: str) -> None:
    """So that no policy that was checked stops a service."""
    try:
        policy = ContentPolicy(
            phrases=[Phrase(text=text)], prompts=[Prompt(text=text)], denials={text: 3}, disguises={text: text}
        )
    except ValidationError:
        return
    Scanner(policy)


def test_the_defaults_are_a_policy_as_people_may_write_one() -> None:
    policy = ContentPolicy()
    assert ContentPolicy.model_validate_json(policy.model_dump_json()) == policy
