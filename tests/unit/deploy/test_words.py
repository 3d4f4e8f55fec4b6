"""What people are told of the children."""

from __future__ import annotations

import json

import pytest

from deploy.launcher import words


@pytest.mark.parametrize(
    ("code", "text"),
    [(0, "ended"), (3, "ended with code 3"), (-9, "was killed by SIGKILL"), (-250, "was killed by signal 250")],
)
def test_an_ending_in_words(code: int, text: str) -> None:
    assert words.ending(code) == text


def test_errors_reach_the_terminal_and_other_lines_do_not() -> None:
    trace = "Traceback (most recent call last):\n  File ...\nValueError: no such thing"
    error = json.dumps({"level": "error", "event": "it broke", "error": trace})
    assert words.headline(error) == "it broke: ValueError: no such thing"
    assert words.headline(json.dumps({"level": "error", "event": "it broke"})) == "it broke"
    for quiet in (json.dumps({"level": "info", "event": "fine"}), "plain text", "{not json", "[1]", '{"level": [1]}'):
        assert words.headline(quiet) is None


def test_last_words_are_plain_lines_and_errors() -> None:
    lines = [json.dumps({"level": "info", "event": "fine"}) + "\n", "Traceback\n", "\n", "KeyError: 'x'\n"]
    assert words.last_words(lines) == ["Traceback", "KeyError: 'x'"]
    assert words.last_words(lines, most=1) == ["KeyError: 'x'"]


def test_the_output_of_a_command_is_shown_as_text() -> None:
    assert words.plain("created 3 topics\n") == "created 3 topics"
    assert words.plain(json.dumps({"level": "warning", "event": "waiting for the broker"})) == "waiting for the broker"
    assert words.plain("\n") is None


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (None, "x does not answer yet"),
        ("<html>", "x does not answer yet"),
        ('{"parts": {"kafka": "waiting for the broker", "http": "ok"}}', "x: kafka: waiting for the broker"),
        ('{"parts": {}}', "x: not ready yet"),
    ],
)
def test_why_a_service_is_not_ready(answer: str | None, text: str) -> None:
    assert words.waiting("x", answer) == text
