"""Reading a policy document: YAML, then the closed model, then what each rule says of its own part.

Whatever is wrong is told at once, each flaw with its line. Nothing is made of a document that is valid in part.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.flaws import Flaw, flaws_in
from schemas.policy import IndicatorPolicy, Policy
from services.indicators.registry import flaws_of
from services.policies.documents import Document


class PolicyError(ValueError):
    """All that is wrong with a document, one flaw a line: `policy.yaml:34: indicators.x.y: is not …`."""


def read_policy(path: Path) -> Policy:
    """The policy in a YAML file; raises PolicyError."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise PolicyError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"{path}: is not UTF-8 text") from error
    return parse_policy(text, str(path))


@dataclass(frozen=True, slots=True)
class Problem:
    """A flaw with the line of the document at which it stands."""

    line: int
    flaw: Flaw


def parse_policy(text: str, name: str) -> Policy:
    """The policy in a YAML text that people know by a name; raises PolicyError."""
    policy, problems = check(text)
    if policy is None:
        raise PolicyError("\n".join(f"{name}:{each.line}: {each.flaw}" for each in problems))
    return policy


def check(text: str) -> tuple[Policy | None, list[Problem]]:
    """The policy in a YAML text, or all that is wrong with it, in the order of its lines."""
    document = Document(text)
    policy, flaws = None, document.flaws
    if document.value is not None or not flaws:
        try:
            policy = Policy.model_validate(document.value)
        except ValidationError as error:
            flaws = flaws + flaws_in(error)
        flaws = flaws + flaws_of(dict(_sound_indicators(document.value)))
    found = sorted((document.place(flaw), flaw.problem) for flaw in flaws)
    problems = [Problem(line, Flaw(path, problem)) for (line, path), problem in found]
    return (None if problems else policy), problems


def _sound_indicators(value: Any) -> Iterator[tuple[str, IndicatorPolicy]]:
    """The parts about indicators that are valid as far as the model goes, whatever else is wrong."""
    indicators = value.get("indicators") if isinstance(value, Mapping) else None
    for name, part in indicators.items() if isinstance(indicators, Mapping) else ():
        with suppress(ValidationError):
            yield str(name), IndicatorPolicy.model_validate(part)
