"""How long who tries passwords has to wait: longer with every failure, never for ever, in bounded memory. Pure."""

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final, NamedTuple

from services.runtime.client_address import household

CAPACITY: Final = 10_000
FORGOTTEN_S: Final = 3600.0
"""After so long without a try nothing is held against a name or an address."""


@dataclass(frozen=True, slots=True)
class Rule:
    """So many tries are free; each one more doubles the wait, up to `longest_s`."""

    free: int
    longest_s: float

    def wait_s(self, tries: int) -> float:
        """Seconds from the last of so many tries to the next."""
        return 0.0 if tries < self.free else min(2.0 ** min(tries - self.free, 60), self.longest_s)


NAME: Final = Rule(free=5, longest_s=60.0)
"""Short at its longest, since a stranger can make a name wait."""
ADDRESS: Final = Rule(free=20, longest_s=300.0)
"""Many colleagues may share one."""


class _Tries(NamedTuple):
    number: int
    last_s: float


class Attempts:
    """The tries of late, by name and by address. Those that were turned away do not count, so a wait does end."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()

    def begin(self, name: str, address: str, now_s: float) -> float:
        """0: go on, and this try counts as failed until it has succeeded. Else so many seconds to wait before the next.

        It counts before the password is looked at, or a thousand tries at the same moment would all be free.
        """
        keys = ((NAME, ("name", name)), (ADDRESS, ("address", household(address))))
        wait = max(self._wait_s(rule, key, now_s) for rule, key in keys)
        if wait <= 0:
            for _, key in keys:
                self._note(key, now_s)
        return max(wait, 0.0)

    def succeeded(self, name: str) -> None:
        """The name starts afresh; the address does not, or one good password would free it to try others."""
        self._tries.pop(("name", name), None)

    def __len__(self) -> int:
        return len(self._tries)

    def _wait_s(self, rule: Rule, key: tuple[str, str], now_s: float) -> float:
        known = self._known(key, now_s)
        return 0.0 if known is None else known.last_s + rule.wait_s(known.number) - now_s

    def _known(self, key: tuple[str, str], now_s: float) -> _Tries | None:
        known = self._tries.get(key)
        return None if known is None or now_s - known.last_s > FORGOTTEN_S else known

    def _note(self, key: tuple[str, str], now_s: float) -> None:
        known = self._known(key, now_s)
        self._tries[key] = _Tries(1 if known is None else known.number + 1, now_s)
        self._tries.move_to_end(key)
        if len(self._tries) > self._capacity:
            self._tries.popitem(last=False)
