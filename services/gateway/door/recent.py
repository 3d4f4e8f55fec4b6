"""How many complaints one address, and all together, may send within a while. Pure; the time comes in."""

from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from services.gateway.budget import Budget

WINDOW_S: Final = 3600.0
_ONE: Final = 1


@dataclass(slots=True)
class _Held:
    """A complaint in its places. kept_s: since when the broker has it."""

    at_s: float
    address: str
    places: ExitStack
    kept_s: float | None = None


class Recent:
    """The complaints of the last hour: each has a place in the budget of its address, and in that of all.

    The same complaint, sent again, takes no second place: whoever presses twice is not a flood.
    """

    def __init__(self, of_one: int, of_all: int) -> None:
        self._of_one = of_one
        self._all = Budget(of_all, _ONE)
        self._addresses: dict[str, Budget] = {}
        self._held: OrderedDict[str, _Held] = OrderedDict()

    def admit(self, address: str, complaint_id: str, now_s: float) -> float | None:
        """How long ago the broker has got it; None: it is still to be sent.

        Raises NoRoomError where there have been as many as may be. `now_s`: of a clock that never goes back.
        """
        self._forget(now_s - WINDOW_S)
        if (known := self._held.get(complaint_id)) is not None:
            return None if known.kept_s is None else now_s - known.kept_s
        own = self._addresses.get(address) or Budget(self._of_one, _ONE)
        with ExitStack() as places:
            places.enter_context(own.share())
            places.enter_context(self._all.share())
            self._held[complaint_id] = _Held(now_s, address, places.pop_all())
        self._addresses[address] = own
        return None

    def keep(self, complaint_id: str, now_s: float) -> None:
        """The broker has it."""
        if (held := self._held.get(complaint_id)) is not None and held.kept_s is None:
            held.kept_s = now_s

    def withdraw(self, complaint_id: str) -> None:
        """Gives back the place of a complaint that could not be taken in."""
        held = self._held.get(complaint_id)
        if held is not None and held.kept_s is None:
            del self._held[complaint_id]
            self._release(held)

    def _forget(self, before_s: float) -> None:
        while self._held and next(iter(self._held.values())).at_s <= before_s:
            self._release(self._held.popitem(last=False)[1])

    def _release(self, held: _Held) -> None:
        held.places.close()
        if not self._addresses[held.address].used:
            del self._addresses[held.address]
