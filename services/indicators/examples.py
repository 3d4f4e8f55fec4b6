"""Examples that a rule file carries: what happens, and whether the rule fires. A test runs every one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of an example. `what` is an input of the subject, or with `fields` a type of event; `second` counts
    from ten in the morning, below zero for what happened before."""

    what: str
    second: float
    count: int = 1
    account: str | None = None
    ip: str | None = None
    one_click: bool = False
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """What happens to one subject, and whether the rule trips on it."""

    fires: bool
    given: tuple[Happening, ...]


def fires(*given: Iterable[Happening]) -> Example:
    """An example that trips."""
    return Example(True, tuple(each for some in given for each in some))


def silent(*given: Iterable[Happening]) -> Example:
    """An example that does not."""
    return Example(False, tuple(each for some in given for each in some))


def amounts(what: str, total: int, second: float = 0, *, days_ago: float = 0) -> list[Happening]:
    """A total of clicks, purchases, … reported as one."""
    return [Happening(what, second - days_ago * 86_400, total)]


def spent(yuan: float, *, days_ago: float = 0) -> list[Happening]:
    """Money spent on advertising."""
    return amounts("spend_micros", round(yuan * 1_000_000), days_ago=days_ago)


def complaints(
    number: int, *, account: str | None = None, anonymous: bool = False, every: float = 60
) -> list[Happening]:
    """Complaints one after the other: of different people, of one account, or by one click of nobody known."""
    return [
        Happening("complaints", n * every, account=None if anonymous else account or f"person-{n}", one_click=anonymous)
        for n in range(number)
    ]


def clicks(number: int, *, within: float, accounts: int = 0) -> list[Happening]:
    """Clicks from one address, spread evenly and shared out among so many accounts."""
    return [
        Happening("clicks", n * within / number, account=f"account-{n % accounts}" if accounts else None)
        for n in range(number)
    ]


def event(what: str, second: float = 0, **fields: Any) -> list[Happening]:
    """One raw event with fields of its own, as a sender writes it."""
    return [Happening(what, second, fields=fields)]
