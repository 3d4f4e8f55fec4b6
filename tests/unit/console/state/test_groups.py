"""Incidents grouped anew beside the requests of those who look."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from services.console.state import groups_io
from services.console.state.groups_io import Groups
from services.incidents.book import Book, Renewed
from tests.unit.incidents.samples import alert

A, B = alert("a"), alert("b", -5)


class SlowBook(Book):
    """Groups anew only when it may."""

    def __init__(self) -> None:
        super().__init__({each.alert_id: each for each in (A, B)}.get)
        self.may = threading.Event()

    def to_renew(self) -> Callable[[], Renewed] | None:
        work = super().to_renew()

        def slowly() -> Renewed:
            assert work is not None
            assert self.may.wait(10)
            return work()

        return None if work is None else slowly


async def test_who_looks_sees_the_ones_before_while_they_are_grouped_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups_io, "PATIENCE_S", 0.01)
    book = SlowBook()
    groups = Groups(book)
    book.put(A.alert_id)
    assert set((await groups.lately()).groups) == {A.alert_id}
    book.put(B.alert_id)  # opened before the other: all have to be grouped anew
    assert set((await groups.lately()).groups) == {A.alert_id}
    exact = asyncio.create_task(groups.now())
    book.may.set()
    assert set((await exact).groups) == {A.alert_id, B.alert_id}
    assert set((await groups.lately()).groups) == {A.alert_id, B.alert_id}


async def test_the_first_who_looks_waits_for_what_there_is() -> None:
    book = SlowBook()
    groups = Groups(book)
    for each in (A, B):
        book.put(each.alert_id)
    looking = asyncio.create_task(groups.lately())
    await asyncio.sleep(0)
    book.may.set()
    assert set((await looking).groups) == {A.alert_id, B.alert_id}
