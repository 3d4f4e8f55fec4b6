"""How much may be in work at once: bytes of requests from their first chunk to their answer."""

from types import TracebackType
from typing import Self


class NoRoomError(Exception):
    """As much is in work as may be: try again in a moment."""


class Budget:
    """Bounds the bytes of all requests in work. `capacity`: of all together; `least`: what a request counts at least,
    so that their number is bounded too."""

    def __init__(self, capacity: int, least: int) -> None:
        self._capacity = capacity
        self._least = least
        self.used = 0

    def share(self, size: int = 0) -> "Share":
        """A place for one request of at least `size` bytes, given back at the end of a `with` block.

        Raises NoRoomError.
        """
        share = Share(self)
        share.grow_to(max(size, self._least))
        return share

    def take(self, size: int) -> None:
        """Raises NoRoomError and takes nothing when that is more than is left."""
        if self.used + size > self._capacity:
            raise NoRoomError
        self.used += size


class Share:
    """What one request has of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0

    def grow_to(self, size: int) -> None:
        """Raises NoRoomError; a smaller size than now changes nothing."""
        if size > self._size:
            self._budget.take(size - self._size)
            self._size = size

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budget.used -= self._size
        self._size = 0
