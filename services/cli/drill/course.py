"""What all drills have in common: the mark of what they may touch, the steps that have to be seen, the report. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from pydantic import ValidationError

MARK: Final = "drill-"
"""How the name begins of whatever a drill may touch: channels, platforms, people and content that are made up."""


class NotMarkedError(ValueError):
    """Something that is not marked for drills."""


def marked(what: str, name: str) -> str:
    """The name of what a drill may touch. Raises NotMarkedError."""
    if not name.startswith(MARK):
        raise NotMarkedError(f"a drill runs on a {what} whose name begins with {MARK!r}, not on {name!r}")
    return name


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill that is to be run.

    about: what it runs on. since: what the seconds count from. steps: in the order in which they are reported, each
    with what it means. within_s: how long all of them together may take. watches: the topics that show them, and
    shown_by: the steps that a record on one of them shows; it may raise ValidationError. left: what stays behind.
    after: steps that count only once another one was seen; what showed them before has another cause.
    """

    name: str
    about: str
    since: str
    steps: Mapping[str, str]
    within_s: float
    watches: tuple[str, ...]
    shown_by: Callable[[str, bytes], Iterable[str]]
    left: str
    after: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Course:
    """How far a drill has come. seen: by step, after so many seconds. notes: what else the report says."""

    drill: Drill
    seen: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def missing(self) -> list[str]:
        """The steps that were not seen."""
        return [step for step in self.drill.steps if step not in self.seen]

    def note(self, step: str, after_s: float) -> None:
        """It was seen; the first time counts at which it could be."""
        needed = self.drill.after.get(step)
        if needed is None or needed in self.seen:
            self.seen.setdefault(step, after_s)

    def take(self, topic: str, value: bytes, after_s: float) -> None:
        """A record of what the drill watches; one of a newer release is left out."""
        try:
            steps = [*self.drill.shown_by(topic, value)]
        except ValidationError:
            return
        for step in steps:
            self.note(step, after_s)


def report(course: Course, began: datetime) -> Iterator[str]:
    """The lines of a Markdown page."""
    drill = course.drill
    yield from (f"# Drill: {drill.name}", "")
    yield f"Begun {began.isoformat(timespec='seconds')} {drill.about}."
    if course.missing:
        yield f"**Failed**: not seen within {drill.within_s:g} s: {', '.join(course.missing)}."
    else:
        yield f"**Passed**: all steps within {max(course.seen.values()):.2f} s ({drill.within_s:g} s allowed)."
    yield from ("", f"| step | what | seconds after {drill.since} |", "|---|---|---|")
    for step, says in drill.steps.items():
        yield f"| {step} | {says} | {f'{course.seen[step]:.2f}' if step in course.seen else 'not seen'} |"
    yield from ("", *(f"{note}\n" for note in course.notes), f"What is left: {drill.left}.")
