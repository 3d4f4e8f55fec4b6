"""A story: events as senders send them, each with the moment at which it arrives; told to the whole path in process."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from schemas.events import TOPIC_OF
from schemas.policy import Policy
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.indicators.standing import CLOSE_AFTER_MS
from services.indicators.windows.panes import PANE_MS
from services.runtime.machines.machine import Output
from tests.quality import channels
from tests.quality.channels import Change, Channel
from tests.quality.rhythm import PANES_A_DAY, Ints, dates, day_ms, written

KEY: Final = b"the key of the measured pseudonyms"
_MINUTE: Final = 60_000
_SUMS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "impressions": ("impression", {}),
    "clicks": ("click", {}),
    "spend_micros": ("spend", {}),
    "engagements": ("engagement", {"kind": "like"}),
}
_STAGES: Final = {"accounts_opened": "account_opened", "purchases": "purchase"}
_DUPLICATED: Final = 0.01
_LATE: Final = 0.02


@dataclass(frozen=True, slots=True)
class Sent:
    """One event on its way. prompt: it is judged as it arrives, and so has to be fed by itself."""

    arrives_ms: int
    topic: str
    value: bytes
    prompt: bool


class Story:
    """Events of some days from `first` on, drawn by a seed."""

    def __init__(self, seed: int, first: date, days: int) -> None:
        self.random = np.random.default_rng([seed, 2])
        self.days = dates(first, days)
        self.start_ms = day_ms(first)
        self._sent: list[Sent] = []
        self._complaints = 0

    def at(self, day: int, hour: float) -> int:
        """A moment of the story."""
        return day_ms(self.days[day]) + round(hour * 60 * _MINUTE)

    def add(self, what: str, at_ms: int, arrives_ms: int | None = None, *, prompt: bool = True, **fields: Any) -> int:
        """Sends an event, and now and then sends it twice; when it arrives."""
        arrives = at_ms + int(self.random.exponential(800)) if arrives_ms is None else arrives_ms
        event = {"event_id": f"e-{len(self._sent)}", "type": what, "occurred_at": written(at_ms), **fields}
        sent = Sent(arrives, TOPIC_OF[what], json.dumps(event, ensure_ascii=False).encode(), prompt)
        self._sent.append(sent)
        if self.random.random() < _DUPLICATED:
            again = arrives + int(self.random.integers(100, 20_000))
            self._sent.append(Sent(again, sent.topic, sent.value, prompt))
        return arrives

    def complain(self, at_ms: int, channel: str, *, answered_h: float | None = None, **fields: Any) -> int:
        """A complaint of a customer; unless said otherwise it is answered within hours. When it arrives."""
        self._complaints += 1
        number = self._complaints
        said = {"entry": "hotline", "account_id": f"customer-{number}"} | fields
        late_by = said.pop("late_by", None)
        name = said.pop("complaint_id", f"c-{number}")
        arrives = None if late_by is None else at_ms + late_by
        arrived = self.add("complaint_opened", at_ms, arrives, channel_id=channel, complaint_id=name, **said)
        hours = float(self.random.uniform(0.2, 1.2)) if answered_h is None else answered_h
        self.add("complaint_answered", at_ms + round(hours * 60 * _MINUTE), channel_id=channel, complaint_id=name)
        return arrived

    # -- traffic

    def traffic(
        self, channel: Channel, since_day: int = 0, changes: Sequence[Change] = (), dead: Sequence[range] = ()
    ) -> None:
        """A channel with ordinary traffic: sums by the quarter of an hour, some of them hours late; complaints.

        dead: panes in which its conversions are held back; they come when the feed is back.
        """
        days = self.days[since_day:]
        flow = channels.flow(self.random, channel, days, changes)
        start = day_ms(days[0])
        for name in _SUMS:
            self._send_sums(channel, start, name, flow[name])
        for name, stage in _STAGES.items():
            self._send_each(channel, start, stage, flow[name], dead)
        for pane in np.flatnonzero(complaints := channels.complaints(self.random, channel, days)):
            for _ in range(complaints[pane]):
                self.complain(start + int(pane) * PANE_MS, channel.name, answered_h=float(self.random.uniform(0.2, 30)))

    def steady(self, channel: Channel, since_day: int = 0, changes: Sequence[Change] = ()) -> None:
        """A channel like clockwork: nothing is late and nothing is chance."""
        days = self.days[since_day:]
        start, flow = day_ms(days[0]), channels.steady(channel, days, changes)
        for name, amounts in flow.items():
            for pane in np.flatnonzero(amounts).tolist():
                at, count = start + pane * PANE_MS + _MINUTE, int(amounts[pane])
                if name in _STAGES:
                    for _ in range(count):
                        self.add("conversion", at, channel_id=channel.name, stage=_STAGES[name], prompt=False)
                elif name in _SUMS:
                    self._sum(channel.name, name, at, at + 1000, count)

    def _send_sums(self, channel: Channel, start: int, name: str, amounts: Ints) -> None:
        quarters = amounts.reshape(-1, 3).sum(1)
        late = self.random.random(len(quarters)) < _LATE
        delays = np.where(
            late, self.random.uniform(1, 3, len(quarters)) * 3_600_000, self.random.exponential(20_000, len(quarters))
        )
        for quarter in np.flatnonzero(quarters).tolist():
            at = start + quarter * 3 * PANE_MS + _MINUTE
            self._sum(channel.name, name, at, at + 14 * _MINUTE + int(delays[quarter]), int(quarters[quarter]))

    def _sum(self, channel: str, name: str, at_ms: int, arrives_ms: int, count: int) -> None:
        what, more = _SUMS[name]
        amount = {"amount": count / 1e6} if what == "spend" else {"count": count}
        self.add(what, at_ms, arrives_ms, prompt=False, channel_id=channel, **amount, **more)

    def _send_each(self, channel: Channel, start: int, stage: str, amounts: Ints, dead: Sequence[range]) -> None:
        for pane in np.flatnonzero(amounts).tolist():
            held = next((gap.stop for gap in dead if pane in gap), None)
            for _ in range(int(amounts[pane])):
                at = start + pane * PANE_MS + int(self.random.integers(0, PANE_MS))
                delay = (
                    self.random.uniform(1, 30) * _MINUTE
                    if self.random.random() < _LATE
                    else self.random.exponential(3000)
                )
                arrives = (
                    at + int(delay) if held is None else start + held * PANE_MS + int(self.random.integers(0, _MINUTE))
                )
                self.add("conversion", at, max(at, arrives), prompt=False, channel_id=channel.name, stage=stage)

    def product(
        self, name: str, since_day: int, searches: float, buying: float, changes: Sequence[Change] = ()
    ) -> None:
        """A product that is searched for so often a day, of which some buy; `clicks` in a change moves its searches."""
        days = self.days[since_day:]
        moved = {
            "searches": np.full(len(days) * PANES_A_DAY, searches / PANES_A_DAY),
            "purchases": np.ones(len(days) * PANES_A_DAY),
        }
        for change in changes:
            for measure, factor in change.factors.items():
                moved[measure][change.first : change.last] *= factor
        looked = np.floor(np.cumsum(moved["searches"]) + 1e-6)
        bought = np.floor(np.cumsum(moved["searches"] * moved["purchases"] * buying) + 1e-6)
        start = day_ms(days[0])
        for pane, (count, buys) in enumerate(
            zip(np.diff(looked, prepend=0.0), np.diff(bought, prepend=0.0), strict=True)
        ):
            at = start + pane * PANE_MS + _MINUTE
            self.add("search", at, prompt=False, channel_id="app", product_id=name, count=int(count))
            for _ in range(int(buys)):
                self.add("conversion", at, prompt=False, channel_id="app", product_id=name, stage="purchase")

    # -- telling it

    def tell(self, policy: Policy, busy_from_ms: int) -> Iterator[tuple[int, list[Output]]]:
        """`(moment, outputs)`: marks close panes every five minutes, and every minute from `busy_from_ms` on."""
        pipeline = Pipeline(policy, KEY)
        offsets: dict[str, int] = defaultdict(int)
        waiting: list[RawRecord] = []
        now = self.start_ms + CLOSE_AFTER_MS
        for sent in sorted(self._sent, key=lambda each: each.arrives_ms):
            while sent.arrives_ms >= now:
                yield now, pipeline.feed(waiting, now) + pipeline.mark(now)
                waiting = []
                now += _MINUTE if now >= busy_from_ms else PANE_MS
            waiting.append(RawRecord(sent.topic, 0, offsets[sent.topic], sent.arrives_ms, sent.value))
            offsets[sent.topic] += 1
            if sent.prompt:
                yield sent.arrives_ms, pipeline.feed(waiting, sent.arrives_ms)
                waiting = []
        end = day_ms(self.days[-1]) + PANES_A_DAY * PANE_MS
        while now <= end:
            yield now, pipeline.feed(waiting, now) + pipeline.mark(now)
            waiting, now = [], now + PANE_MS
