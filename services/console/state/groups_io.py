"""The incidents, for whoever asks: grouped anew in a thread, since that takes seconds where there are many alerts."""

import asyncio
from typing import Final

from services.incidents.book import Book
from services.incidents.grouping import Grouped

PATIENCE_S: Final = 0.4
"""So long somebody who looks waits for the newest; then the ones before are shown."""


class Groups:
    """One at a time works; the others wait for it."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._working = asyncio.Lock()
        self._begun = False
        self._renewal: asyncio.Task[Grouped] | None = None

    async def now(self) -> Grouped:
        """With all that was known when this was called: for orders."""
        async with self._working:
            work = self._book.to_renew()
            if work is not None:
                self._book.adopt(await asyncio.to_thread(work))
            self._begun = True
            return self._book.latest()

    async def lately(self) -> Grouped:
        """The newest that can be had soon: for pages."""
        if not self._begun:
            return await self.now()
        if self._renewal is None or self._renewal.done():
            self._renewal = asyncio.create_task(self.now())
        await asyncio.wait([self._renewal], timeout=PATIENCE_S)
        return self._book.latest()
