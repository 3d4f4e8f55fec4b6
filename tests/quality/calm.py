"""Calm: what the indicators say of channels and products on which nothing is wrong, for thousands of days.

The rows go to the machines as frames, since an event each would take hours; a mark closes each pane in its turn. There
are campaigns, holidays, Double 11, feeds that die, angry customers and pranks, and none of them may trip anything.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.random import Generator

from schemas.frames import FORMAT, MEASURES, ChannelFrame, Mark, ProductFrame, Read, Slice, encode, source_of
from schemas.policy import Policy
from schemas.rows import ComplaintRow
from services.indicators.machine import IndicatorMachine, build
from services.indicators.standing import CLOSE_AFTER_MS
from services.indicators.windows.panes import HOUR_MS, PANE_MS
from services.runtime.machines.machine import Output, Record
from tests.quality import channels, delivery
from tests.quality.channels import Change, Channel
from tests.quality.rhythm import BUYING, PANES_A_DAY, TRAFFIC, Ints, by_day, dates, day_ms, shape

WARM_UP: Final = 8
"""Days before the count begins: a week to compare with, and the day itself."""
_CHANNEL, _COMPLAINT, _CONVERSION = (source_of(f"{name}-events", 0) for name in ("channel", "complaint", "conversion"))
_ROSTER: Final = [
    source_of(f"{name}-events", 0) for name in ("channel", "complaint", "conversion", "mention", "market")
]
_CODE: Final = {name: code for code, name in enumerate(MEASURES)}
_BOUGHT: Final = ("accounts_opened", "purchases")
_PRODUCT_SHARE: Final = 1 / 3
"""So many products as channels."""


Columns = tuple[bytes, bytes, bytes, bytes, bytes]


@dataclass
class Rows:
    """Columns of one feed, in the order in which they come: when heard, when happened, whose, what, how much."""

    heard: Ints
    pane: Ints
    owner: Ints
    measure: Ints
    amount: Ints
    sent: int = 0
    _ends: Ints = field(init=False)

    def __post_init__(self) -> None:
        order = np.lexsort((self.pane, self.heard))
        for name in ("heard", "pane", "owner", "measure", "amount"):
            setattr(self, name, getattr(self, name)[order])
        self._ends = np.searchsorted(self.heard, np.arange(int(self.heard.max(initial=0)) + 1), "right")

    def heard_in(self, pane: int) -> slice:
        """The rows that are heard in a pane, each asked once and in order."""
        end = int(self._ends[min(pane, len(self._ends) - 1)])
        found, self.sent = slice(self.sent, end), end
        return found


def rows(parts: Sequence[tuple[int, int, Ints, Ints]]) -> Rows:
    """Rows of `(owner, measure, amounts by pane, delays by pane)`; panes with nothing are left out."""
    columns: list[tuple[Ints, ...]] = []
    for whose, what, amounts, delays in parts:
        panes = np.flatnonzero(amounts > 0)
        number = len(panes)
        columns.append((panes + delays[panes], panes, np.full(number, whose), np.full(number, what), amounts[panes]))
    heard, pane, owner, measure, amount = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Rows(heard, pane, owner, measure, amount)


@dataclass
class Feed:
    """A machine, and the log that it reads."""

    machine: IndicatorMachine
    offset: int = 0

    def take(self, value: bytes, at_ms: int) -> list[Output]:
        """What comes of one record."""
        self.offset += 1
        return self.machine.apply(Record(self.offset - 1, at_ms, None, value))


class Calm:
    """Some channels and a third as many products, over some days."""

    def __init__(self, seed: int, first: date, days: int, number: int, policy: Policy) -> None:
        self._random = np.random.default_rng([seed, 1])
        self._days = dates(first, days)
        self._panes = days * PANES_A_DAY
        self._start = day_ms(first)
        self._feeds = {subject: Feed(build(subject, 0)) for subject in ("channel", "product")}
        self._policy = policy
        self._channels = channels.population(self._random, number)
        self._products = channels.population(self._random, max(int(number * _PRODUCT_SHARE), 1), "product")
        self._complaints: dict[int, list[ComplaintRow]] = {}
        self._complained = 0

    @property
    def counted(self) -> dict[str, int]:
        """Channel-days and product-days after the warm-up."""
        days = len(self._days) - WARM_UP
        return {"channel": len(self._channels) * days, "product": len(self._products) * days}

    def counts_from(self) -> int:
        """The moment at which the warm-up is over."""
        return self._start + WARM_UP * PANES_A_DAY * PANE_MS

    def run(self) -> Iterator[tuple[int, list[Output]]]:
        """`(moment, outputs)` wherever there are any."""
        feeds = self._channel_rows(), self._product_rows()
        mark = Mark(
            FORMAT, self._start, "wall", _ROSTER, [], self._policy.label, self._policy.model_dump_json().encode()
        )
        for feed in self._feeds.values():
            feed.take(encode(mark), self._start)
        for pane in range(self._panes):
            now = self._start + (pane + 1) * PANE_MS + CLOSE_AFTER_MS
            outputs = [
                each for frame in self._frames(pane, *feeds) for each in self._feeds[frame[0]].take(frame[1], now)
            ]
            closes = encode(
                Mark(FORMAT, now, "wall", _ROSTER, [Read(s, 0, now) for s in _ROSTER], self._policy.label, None)
            )
            for feed in self._feeds.values():
                outputs += feed.take(closes, now)
            if outputs:
                yield now, outputs

    # -- what happens

    def _channel_rows(self) -> tuple[Rows, Rows]:
        everywhere = delivery.outages(self._random, self._panes, 50, (0.3, 3))
        summed, bought = [], []
        for owner, channel in enumerate(self._channels):
            flow = channels.flow(self._random, channel, self._days, _campaigns(self._random, self._panes))
            dead = delivery.outages(self._random, self._panes, 30, (0.5, 12))
            delays = delivery.held_back(delivery.sums(self._random, self._panes), [*dead, *everywhere])
            summed += [(owner, _CODE[name], flow[name], delays) for name in flow if name not in _BOUGHT]
            dead = delivery.outages(self._random, self._panes, 30, (0.5, 12))
            prompt = delivery.held_back(np.zeros(self._panes, np.int64), [*dead, *everywhere])
            late = prompt + self._random.integers(1, 25, self._panes)
            for name in _BOUGHT:
                some = self._random.binomial(flow[name], 0.03)
                bought += [(owner, _CODE[name], flow[name] - some, prompt), (owner, _CODE[name], some, late)]
            self._complain(channel)
        return rows(summed), rows(bought)

    def _product_rows(self) -> tuple[Rows, Rows]:
        searched, bought = [], []
        for owner, product in enumerate(self._products):
            searches, purchases = self._product_flow(product)
            delays = self._random.integers(0, 2, self._panes)
            searched.append((owner, _CODE["searches"], searches, delays))
            bought.append((owner, _CODE["purchases"], purchases, delays))
        return rows(searched), rows(bought)

    def _product_flow(self, product: Channel) -> tuple[Ints, Ints]:
        """Searches, at times far more than usual since something is in the news; people buy all the same."""
        random, number = self._random, len(self._days)
        volume = product.clicks * by_day(self._days, TRAFFIC) * random.lognormal(0, 0.12, number)
        searches = (volume[:, None] * shape()[None, :]).reshape(-1) * np.repeat(
            random.gamma(20, 1 / 20, number * 24), 12
        )
        for change in _campaigns(random, self._panes):
            searches[change.first : change.last] *= change.factors["clicks"]
        buying = np.repeat(by_day(self._days, BUYING) * random.lognormal(0, 0.05, number), PANES_A_DAY)
        return random.poisson(searches), random.poisson(searches * product.purchase * buying)

    def _complain(self, channel: Channel) -> None:
        """Ordinary complaints, now and then an angry customer, now and then a prank."""
        random = self._random
        for pane, count in enumerate(channels.complaints(random, channel, self._days).tolist()):
            for _ in range(count):
                one_click = random.random() < 0.3
                self._open(pane, channel, f"customer-{self._complained}", one_click and random.random() < 0.3)
        for _ in range(random.poisson(len(self._days) * 0.02)):
            pane = int(random.integers(0, self._panes - 24))
            person = f"angry-{self._complained}"
            for _ in range(random.integers(5, 13)):
                self._open(pane + int(random.integers(0, 24)), channel, person, anonymous=False)
        for _ in range(random.poisson(len(self._days) * 0.01)):
            pane = int(random.integers(0, self._panes - 12))
            for n in range(random.integers(5, 31)):
                self._open(pane + int(random.integers(0, 12)), channel, f"prank-{self._complained}-{n % 6}", True)

    def _open(self, pane: int, channel: Channel, person: str, anonymous: bool) -> None:
        known = blake2b(person.encode(), digest_size=16).digest()
        self._complained += 1
        name = f"complaint-{self._complained}"
        at_ms = self._start + pane * PANE_MS + int(self._random.integers(0, PANE_MS))
        row = ComplaintRow(0, 0, at_ms, channel.name, name, None if anonymous else known, known, anonymous)
        self._complaints.setdefault(pane, []).append(row)

    # -- what is heard

    def _frames(self, pane: int, channel: tuple[Rows, Rows], product: tuple[Rows, Rows]) -> Iterator[tuple[str, bytes]]:
        slices, columns, count = self._columns(pane, channel)
        opened = self._complaints.pop(pane, [])
        if opened:
            first = self._feeds["channel"].offset * 1000
            slices.append(Slice(_COMPLAINT, first, first + len(opened), 0))
        if count or opened:
            numbered = [_placed(row, len(slices) - 1, slices[-1].first + n) for n, row in enumerate(opened)]
            names = [each.name for each in self._channels]
            yield "channel", encode(ChannelFrame(FORMAT, slices, names, *columns, numbered))
        slices, columns, count = self._columns(pane, product)
        if count:
            names = [each.name for each in self._products]
            carried = np.arange(len(names), dtype="<i4").tobytes()  # by the one channel, now
            hour = np.full(len(names), self._start // HOUR_MS + pane // 12, "<i4").tobytes()
            app = np.zeros(len(names), "<i4").tobytes()  # as well as the slice
            known = app, np.full(len(names), slices[0].first, "<i8").tobytes()
            yield "product", encode(ProductFrame(FORMAT, slices, names, ["app"], *columns, carried, app, hour, *known))

    def _columns(self, pane: int, feeds: tuple[Rows, Rows]) -> tuple[list[Slice], Columns, int]:
        slices: list[Slice] = []
        parts: list[tuple[Ints, ...]] = []
        for source, feed in zip((_CHANNEL, _CONVERSION), feeds, strict=True):
            found = feed.heard_in(pane)
            number = found.stop - found.start
            if number:
                slices.append(Slice(source, found.start, found.stop, number))
                at_ms = self._start + feed.pane[found] * PANE_MS
                offset = np.arange(found.start, found.stop)
                parts.append((offset, at_ms, feed.owner[found], feed.measure[found], feed.amount[found]))
        if not parts:
            return slices, (b"", b"", b"", b"", b""), 0
        joined = [np.concatenate(column) for column in zip(*parts, strict=True)]
        kinds = ("<i8", "<i8", "<i4", "u1", "<i8")
        written = [each.astype(kind).tobytes() for each, kind in zip(joined, kinds, strict=True)]
        return slices, (written[0], written[1], written[2], written[3], written[4]), len(joined[0])


def _campaigns(random: Generator, panes: int) -> list[Change]:
    """A planned rise every month or so: more clicks, a little dearer, a little less ready to buy."""
    found = []
    for _ in range(random.poisson(panes / PANES_A_DAY / 30)):
        first = int(random.integers(0, panes))
        last = first + int(random.uniform(1, 6) * PANES_A_DAY)
        factors = {"clicks": random.uniform(1.5, 4), "purchases": 0.95, "accounts_opened": 0.97, "engagements": 0.95}
        found.append(Change(first, last, factors))
    return found


def _placed(row: ComplaintRow, number: int, offset: int) -> ComplaintRow:
    _, _, *rest = (getattr(row, name) for name in row.__struct_fields__)
    return ComplaintRow(number, offset, *rest)
