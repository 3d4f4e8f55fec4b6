"""Proofs of an alert's decisions, run for people who look: steps, findings, one at a time, ended when left."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from services.console.jobs import proving_io
from services.console.jobs.proofs import Proof, environ_of
from services.console.jobs.proving_io import Prover
from services.runtime.ids import derive
from tests.support.waiting import eventually
from tests.unit.console.samples import NOW

A, B = derive("a"), derive("b")
FOUND: dict[str, Any] = {"command_id": derive("c"), "command": "pause", "target": "channel:douyin", "level": 1}


def finding(outcome: str, *differences: dict[str, str]) -> str:
    return json.dumps(
        {"finding": FOUND | {"outcome": outcome, "differences": differences, "notes": ["why"], "notes_zh": ["原因"]}}
    )


def saying(*lines: str, code: int = 0, last: str = "") -> Callable[[str], Sequence[str]]:
    """A program that says these lines."""
    text = "\n".join(lines)
    script = f"import sys; print({text!r}); print({last!r}, file=sys.stderr); sys.exit({code})"
    return lambda alert_id: (sys.executable, "-c", script)


def endless(alert_id: str) -> Sequence[str]:
    return (sys.executable, "-c", 'import time; print(\'{"read": 1, "of": 9}\', flush=True); time.sleep(600)')


async def ended(prover: Prover, alert_id: str = A) -> Proof:
    """The proof when it is over, looked at until then."""
    await eventually(lambda: (found := prover.look(alert_id)) is not None and found.outcome is not None, "an outcome")
    proof = prover.look(alert_id)
    assert proof is not None
    return proof


@pytest.mark.parametrize(
    ("code", "outcome", "lines"),
    [
        (0, "proved", [finding("proved")]),
        (1, "differs", [finding("differs", {"field": "value", "said": "20", "derived": "19"})]),
        (3, "not available", [finding("not available")]),
        (1, "failed", []),
        (2, "failed", []),
        (0, "failed", ["no JSON", '{"other": 1}']),
    ],
)
async def test_a_proof_ends_as_the_command_line_says(code: int, outcome: str, lines: list[str]) -> None:
    prover = Prover(saying('{"read": 5, "of": 10}', *lines, code=code))
    assert prover.start(A, "li.wei")
    proof = await ended(prover)
    assert (proof.outcome, proof.read, proof.of, proof.by) == (outcome, 5, 10, "li.wei")
    assert [each.outcome for each in proof.findings] == ([outcome] if proof.findings else [])
    assert [each.notes[0].zh for each in proof.findings] == ["原因" for _ in proof.findings]
    assert prover.running() is None


async def test_where_there_is_no_order_the_reason_is_told() -> None:
    prover = Prover(saying(code=3, last="no order of an indicator for the alert"))
    prover.start(A, "li.wei")
    proof = await ended(prover)
    assert (proof.outcome, proof.why) == ("not available", "no order of an indicator for the alert")


async def test_one_at_a_time() -> None:
    prover = Prover(endless)
    assert prover.start(A, "li.wei")
    assert not prover.start(B, "wang")
    assert prover.start(A, "wang"), "the same one goes on"
    running = prover.running()
    assert running is not None
    assert (running.alert_id, running.by) == (A, "li.wei")
    await prover.stop(A)
    assert (await ended(prover)).outcome == "stopped"
    assert prover.start(B, "wang")
    await prover.stop(B)


async def test_it_ends_when_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving_io, "LOOK_S", 0.2)
    monkeypatch.setattr(proving_io, "_STEP_S", 0.02)
    prover = Prover(endless)
    prover.start(A, "li.wei")
    await eventually(lambda: prover.running() is None, "its end")
    assert (await ended(prover)).outcome == "stopped"


async def test_a_program_that_is_not_there_is_a_failure() -> None:
    prover = Prover(lambda alert_id: ("/no/such/program",))
    prover.start(A, "li.wei")
    assert (await ended(prover)).outcome == "failed"


def test_the_raw_topics_are_read_as_whoever_may() -> None:
    mine = {"TIDEGATE_KAFKA_SASL_USERNAME": "console", "TIDEGATE_KAFKA_SASL_PASSWORD_FILE": "mine", "PATH": "p"}
    assert environ_of(mine, None, None) == mine
    assert environ_of(mine, "history", "secret") == {
        "TIDEGATE_KAFKA_SASL_USERNAME": "history",
        "TIDEGATE_KAFKA_SASL_PASSWORD": "secret",
        "PATH": "p",
    }


async def test_the_process_is_told_what_it_needs() -> None:
    script = "import os; raise SystemExit(3 if os.environ.get('A') == 'b' else 1)"
    prover = Prover(lambda alert_id: (sys.executable, "-c", script), {"A": "b"})
    prover.start(A, "li.wei")
    assert (await ended(prover)).outcome == "not available"


def test_a_proof_that_goes_on_says_how_far_it_has_come() -> None:
    proof = Proof(A, "li.wei", NOW).told('{"read": 3, "of": 7}')
    assert (proof.read, proof.of, proof.outcome) == (3, 7, None)
