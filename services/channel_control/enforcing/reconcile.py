"""What to ask of the platform and what to make of its answers. Pure; the calls themselves are `reconciler_io`'s.

The steps for one target are a generator: it yields calls, is sent their answers, and returns how it went. Every call
may have been carried out although its answer was lost, so after a failure, and after a start, the platform is asked
before anything is put to it again; and what was put is read back, since a platform may take an order and forget it.
"""

from collections.abc import Collection, Generator, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Literal, Protocol

from schemas.base import Bilingual
from schemas.channels import HoldKind, WantedState
from schemas.commands import Command
from services.channel_control.holding.target import Target
from services.runtime.ids import derive

LONGEST_RETRY_AFTER_S: Final = 3600.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """A call, or a whole attempt, that failed. `kind` is one of few words; `text` is for people, `zh` its Chinese."""

    kind: str
    text: str
    retry_after_s: float = 0.0
    zh: str = field(default="", compare=False)

    @property
    def said(self) -> Bilingual:
        """In both languages."""
        return Bilingual(en=self.text, zh=self.zh or self.text)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the platform answered: None if it does not know the target."""

    state: WantedState | None


Call = Literal["ask", "put"]
Answer = Seen | Trouble
Steps = Generator[Call, Answer, WantedState | Trouble]

CONFLICT: Final = "conflict"
"""The kind of a 409: the platform says that it has a newer generation."""
FROZEN: Final = "frozen"
"""The kind where this process may have lost the partition, so that nothing was sent."""


def pursue(wanted: WantedState, *, ask_first: bool) -> Steps:
    """The calls that bring the platform to `wanted`; returns what it then shows, or what stood in the way."""
    if ask_first:
        shown = _read((yield "ask"), wanted)
        if shown is not None:
            return shown
    put = yield "put"
    if isinstance(put, Trouble) and put.kind != CONFLICT:
        return put
    shown = _read((yield "ask"), wanted)
    if shown is not None:
        return shown
    if isinstance(put, Trouble):
        return put
    return Trouble(
        "differs", "the platform took the order and shows something else", zh="平台已接受指令，但显示的状态不符"
    )


def _read(answer: Answer, wanted: WantedState) -> WantedState | Trouble | None:
    """What an answer to a question settles; None if the platform has yet to be told."""
    if isinstance(answer, Trouble):
        return answer
    state = answer.state
    if state is None or state.generation < wanted.generation:
        return None
    if state.target != wanted.target:
        return Trouble("bad_answer", "the platform answered for another target", zh="平台答复的是另一对象")
    if state.generation > wanted.generation:
        text = f"the platform holds generation {state.generation}, newer than {wanted.generation}"
        zh = f"平台上为第 {state.generation} 版，新于第 {wanted.generation} 版"
        return Trouble("newer", text, zh=zh)
    return state if state == wanted else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """How far the reconciler is with one generation of a target; kept in memory only. `due` is a monotonic time."""

    generation: int
    due: float
    ask_first: bool
    failures: int = 0
    told: frozenset[str] = frozenset()
    """The kinds of failure that have been reported."""

    def is_retry(self) -> bool:
        """Whether the platform may have heard of this before."""
        return self.failures > 0 or self.ask_first


class Uniform(Protocol):
    """`random.uniform`."""

    def __call__(self, a: float, b: float, /) -> float: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """Full jitter: a pause is anything up to a bound that doubles with each failure."""

    base_s: float = 0.5
    cap_s: float = 60.0

    def pause(self, failures: int, uniform: Uniform) -> float:
        """Seconds to wait after this many failures in a row."""
        return uniform(0.0, min(self.cap_s, self.base_s * 2.0 ** min(failures, 32)))


def after_trouble(
    attempt: Attempt, trouble: Trouble, now: float, patience: Patience, uniform: Uniform
) -> tuple[Attempt, bool]:
    """The attempt after a failure, and whether to report it: once for each kind and generation."""
    failures = attempt.failures + 1
    pause = max(patience.pause(failures, uniform), min(trouble.retry_after_s, LONGEST_RETRY_AFTER_S))
    report = trouble.kind not in attempt.told
    told = attempt.told | {trouble.kind} if report else attempt.told
    return Attempt(attempt.generation, now + pause, True, failures, told), report


def after_confirmation(attempt: Attempt, now: float, patience: Patience) -> Attempt:
    """The attempt once its confirmation is on the log; due again only if the machine never hears of it."""
    return replace(attempt, due=now + patience.cap_s, ask_first=True, failures=0)


@dataclass(frozen=True, slots=True)
class Plan:
    """`start`: what to begin with now, the new orders first. `wake`: when to look again, None: when something comes."""

    start: list[tuple[Target, Attempt]]
    wake: float | None


def plan(
    unsettled: Iterable[Target],
    attempts: Mapping[str, Attempt],
    busy: Collection[str],
    now: float,
    *,
    slots: int,
    retry_slots: int,
) -> Plan:
    """What is due: at most `slots` targets, at most `retry_slots` of them retries.

    The two are counted apart, so orders that a platform keeps refusing never hold up a new one. `busy` are the targets
    with an attempt under way; there is never a second one beside it.
    """
    fresh: list[tuple[Target, Attempt]] = []
    retries: list[tuple[Target, Attempt]] = []
    wake: float | None = None
    for target in unsettled:
        if target.name in busy:
            continue
        attempt = attempts.get(target.name)
        if attempt is None or attempt.generation != target.generation:
            attempt = Attempt(target.generation, now, ask_first=False)
        if attempt.due > now:
            wake = attempt.due if wake is None else min(wake, attempt.due)
        elif attempt.is_retry():
            retries.append((target, attempt))
        else:
            fresh.append((target, attempt))
    retries.sort(key=lambda pair: pair[1].due)
    # What finds no slot is looked at again when one becomes free.
    return Plan([*fresh[: max(0, slots)], *retries[: max(0, retry_slots)]], wake)


def confirmation(target: Target, observed: WantedState, at: datetime) -> Command:
    """The report that the platform shows what is wanted. The same order gives the same id."""
    return _report("confirmed", target, at, (), observed=observed)


def waited(target: Target, at: datetime) -> list[tuple[HoldKind, float]]:
    """The kinds of the holds that a confirmation at this time is the first of, and how long each took (seconds).

    Without those that people approved, which took as long as they did, and those that had only been masked.
    """
    before = target.confirmed_at
    return [
        (hold.kind, max(0.0, (at - hold.since).total_seconds()))
        for hold in target.acting_since(target.confirmed_generation or 0, target.generation)
        if hold.approval == "none" and (before is None or hold.since > before)
    ]


def failure(target: Target, trouble: Trouble, at: datetime) -> Command:
    """The report that it does not."""
    return _report("failed", target, at, (trouble.kind,), said=trouble.said)


def drift(target: Target, observed: WantedState | None, at: datetime) -> Command:
    """The report that it no longer does."""
    shown = "" if observed is None else observed.model_dump_json()
    return _report("drifted", target, at, (shown,), observed=observed)


def _report(
    word: Literal["confirmed", "failed", "drifted"],
    target: Target,
    at: datetime,
    more: tuple[str, ...],
    *,
    observed: WantedState | None = None,
    said: Bilingual | None = None,
) -> Command:
    return Command(
        command_id=derive(target.name, str(target.generation), word, *more, *_again(target)),
        command=word,
        target=target.name,
        expected_generation=target.generation,
        issued_by="reconciler",
        issued_at=at,
        observed=observed,
        note=None if said is None else said.en,
        reason=said,
    )


def idempotency_key(target: Target) -> str:
    """The same for each repeat of the same order; another one when it is put again after the platform has drifted,
    which a platform that goes by the key alone would otherwise take for a repeat."""
    return derive(target.name, str(target.generation), *_again(target))


def _again(target: Target) -> tuple[str, ...]:
    return (str(target.drifts),) if target.drifts else ()
