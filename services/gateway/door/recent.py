"""How many complaints one address, and all together, may send within a while. Pure; the time comes in."""

from collections import OrderedDict
from contextlib import ExitStack
from typing import Final

from services.gateway.budget import Budget

WINDOW_S: Final = 3600.0
_ONE: Final = 1


class Recent:
    """The complaints of the last hour: each has a place in the budget of its address, and in that of all.

    The same complaint, sent again, takes no second place: whoever presses twice is not a flood.
    """

    def __init__(self, of_one: int, of_all: int) -> None:
        self._of_one = of_one
        self._all = Budget(of_all, _ONE)
        self._addresses: dict[str, Budget] = {}
        self._held: OrderedDict[str, tuple[float, str, ExitStack]] = OrderedDict()

    def admit(self, address: str, complaint_id: str, now_s: float) -> None:
        """Raises NoRoomError where there have been as many as may be. `now_s`: of a clock that never goes back."""
        self._forget(now_s - WINDOW_S)
        if complaint_id in self._held:
            return
        own = self._addresses.get(address) or Budget(self._of_one, _ONE)
        with ExitStack() as places:
            places.enter_context(own.share())
            places.enter_context(self._all.share())
            self._held[complaint_id] = (now_s, address, places.pop_all())
        self._addresses[address] = own

    def withdraw(self, complaint_id: str) -> None:
        """Gives back the place of a complaint that could not be taken in."""
        if (held := self._held.pop(complaint_id, None)) is not None:
            self._release(*held)

    def _forget(self, before_s: float) -> None:
        while self._held and next(iter(self._held.values()))[0] <= before_s:
            _, held = self._held.popitem(last=False)
            self._release(*held)

    def _release(self, _: float, address: str, places: ExitStack) -> None:
        places.close()
        if not self._addresses[address].used:
            del self._addresses[address]
