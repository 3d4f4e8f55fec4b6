"""Which orders are tried while a platform is away: one at a time, to find out whether it is back. The others wait in
the order in which they came, and all are due once it is."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from services.channel_control.enforcing.reconcile import Attempt
from services.channel_control.holding.target import Target


def probes(
    unsettled: Iterable[Target], attempts: Mapping[str, Attempt], busy: Collection[str], away: Mapping[str, str]
) -> list[Target]:
    """All targets whose platform is there, and of each one that is away the target that is due first. `away`: the
    platform by target.

    Not always the oldest order: one that the platform alone chokes on would keep all others waiting for ever.
    """
    found: list[Target] = []
    first: dict[str, Target] = {}
    for target in unsettled:
        name = away.get(target.name)
        if name is None:
            found.append(target)
        elif name not in first or _due(target, attempts) < _due(first[name], attempts):
            first[name] = target
    tried = {away[name] for name in busy if name in away}
    return found + [target for name, target in first.items() if name not in tried]


def _due(target: Target, attempts: Mapping[str, Attempt]) -> float:
    attempt = attempts.get(target.name)
    return 0.0 if attempt is None or attempt.generation != target.generation else attempt.due


def due_again(
    attempts: Mapping[str, Attempt], before: Mapping[str, str], away: Mapping[str, str], now: float
) -> dict[str, Attempt]:
    """The attempts that have waited for a platform which has come back: due now."""
    back = [name for name in before if name not in away and name in attempts]
    return {name: replace(attempts[name], due=min(attempts[name].due, now)) for name in back}
