"""Blocking calls beside the loop, which nobody has to wait for."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

Result = TypeVar("Result")


class Threads:
    """Each call in a thread of its own, at most `most` at once; one that hangs keeps its place until it comes back.

    The threads of a pool are waited for when the process ends, whatever they do. These are not.
    """

    def __init__(self, most: int) -> None:
        self._free = asyncio.Semaphore(most)

    async def run(self, call: Callable[[], Result]) -> Result:
        """What the call returns or raises. Who stops waiting leaves it behind; it may still be carried out."""
        await self._free.acquire()
        loop = asyncio.get_running_loop()
        outcome: Future[Result] = Future()

        def work() -> None:
            try:
                outcome.set_result(call())
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                outcome.set_exception(error)
            with suppress(RuntimeError):  # the loop is closed, and with it whoever waited
                loop.call_soon_threadsafe(self._free.release)

        outcome.set_running_or_notify_cancel()
        waited = asyncio.wrap_future(outcome)
        threading.Thread(target=work, name="abandonable", daemon=True).start()
        return await waited
