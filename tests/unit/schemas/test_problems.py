"""Problems name the field, say what is wrong and never quote what was sent."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import _pydantic_core

from schemas.dead_letters import Problem
from schemas.events import EVENT, TOPIC_OF
from schemas.problems import MAX_PROBLEMS, problems_of


def problems(raw: bytes) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        EVENT.validate_json(raw, strict=True)
    return [(found.field, found.problem) for found in problems_of(caught.value, skip=1)]


def test_each_bad_field_is_named_without_the_type_in_front() -> None:
    found = problems(b'{"type": "click", "event_id": "", "occurred_at": "2026-99-01T00:00:00Z", "count": "5"}')
    assert found == [
        ("event_id", "String should have at least 1 character"),
        ("occurred_at", "is not a time that exists"),
        ("channel_id", "is required"),
        ("count", "Input should be a valid integer"),
    ]


def test_a_place_in_a_list_has_its_number() -> None:
    raw = (
        b'{"type": "content_published", "event_id": "e", "occurred_at": "2026-01-01T00:00:00Z", "channel_id": "c",'
        b' "content_id": "x", "body": "b", "reviewers": ["a", 5]}'
    )
    assert problems(raw) == [("reviewers.1", "Input should be a valid string")]


@pytest.mark.parametrize("raw", [b"[]", b"null", b"5", b'"click"'])
def test_what_is_no_object_is_told_as_a_whole(raw: bytes) -> None:
    assert problems(raw) == [("", "is not a JSON object")]


def test_broken_json_says_where() -> None:
    assert problems(b'{"type":') == [("", "is not valid JSON: EOF while parsing a value at line 1 column 8")]


def test_a_missing_type_is_a_missing_field() -> None:
    assert problems(b"{}") == [("type", "is required")]


def test_an_unknown_type_lists_the_known_ones_and_not_itself() -> None:
    ((field, problem),) = problems(b'{"type": "13800138000"}')
    assert field == "type"
    assert all(f"'{known}'" in problem for known in TOPIC_OF)
    assert "13800138000" not in problem


def test_there_is_a_limit() -> None:
    class Closed(BaseModel):
        model_config = ConfigDict(extra="forbid")

    with pytest.raises(ValidationError) as caught:
        Closed.model_validate({f"field{n}": n for n in range(100)})
    assert len(problems_of(caught.value)) == MAX_PROBLEMS


SECRET = "s3cr3t-13800138000"


@given(
    st.sampled_from(["type", "event_id", "occurred_at", "channel_id", "segment", "ip", "count", "reviewers", "month"]),
    st.sampled_from([SECRET, [SECRET], {"x": SECRET}, SECRET + "\x00", SECRET * 50]),
    st.sampled_from(sorted(TOPIC_OF)),
)
def test_no_value_is_ever_quoted(field: str, value: object, kind: str) -> None:
    try:
        EVENT.validate_python({"type": kind, field: value}, strict=True)
    except ValidationError as error:
        assert problems_of(error, skip=1)
        assert not any(SECRET in found.problem or SECRET in found.field for found in problems_of(error, skip=1))


def test_only_the_reworded_error_of_pydantic_quotes_what_was_sent() -> None:
    """Looks at every message that pydantic has: a new one with a value in it must be reworded first."""
    harmless = {
        *("attribute", "method_name", "class_name", "class", "gt", "ge", "lt", "le", "multiple_of", "field_type"),
        *("min_length", "max_length", "actual_length", "expected_plural", "pattern", "expected", "encoding"),
        *("encoding_error", "error", "tz_expected", "tz_actual", "discriminator", "expected_tags", "expected_schemes"),
        *("expected_version", "max_digits", "decimal_places", "whole_digits"),
    }
    quoting = {
        error["type"]
        for error in _pydantic_core.list_all_errors()
        if set(re.findall(r"\{(\w+)\}", error["message_template_python"])) - harmless
    }
    assert quoting == {"union_tag_invalid"}


def test_a_problem_is_what_a_dead_letter_holds() -> None:
    with pytest.raises(ValidationError) as caught:
        EVENT.validate_json(b"{}")
    assert problems_of(caught.value, skip=1) == [Problem(field="type", problem="is required")]
