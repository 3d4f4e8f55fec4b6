"""A stranger with a few addresses wants a channel stopped: the attack is played through the whole path."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from schemas.base import from_ms
from schemas.events import TOPIC_OF
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.policies.reading import read_policy
from services.runtime.machines.machine import Output
from tests.quality.measure import POLICY
from tests.support.indicator_log import TEN, commands, facts

KEY = b"a key of sixteen bytes or more"
SECOND, MINUTE = 1000, 60_000
CHANNEL = "channel:douyin"


class Channel:
    """One channel with a thousand purchases today, in process and under the default policy."""

    def __init__(self) -> None:
        self._pipeline = Pipeline(read_policy(POLICY), KEY)
        self._offsets = {topic: count() for topic in set(TOPIC_OF.values())}
        self._numbers = count()
        self.outputs: list[Output] = self._pipeline.mark(TEN)
        for n in range(1000):
            self.happen((n - 1000) * SECOND, "conversion", stage="purchase")

    def happen(self, at: int, what: str, **fields: Any) -> None:
        """One event, read as it arrives."""
        topic, at_ms = TOPIC_OF[what], TEN + at
        event = {"event_id": f"e-{next(self._numbers)}", "type": what, "occurred_at": from_ms(at_ms).isoformat()}
        value = json.dumps(event | {"channel_id": "douyin"} | fields).encode()
        self.outputs += self._pipeline.feed([RawRecord(topic, 0, next(self._offsets[topic]), at_ms, value)], at_ms)

    def complain(self, at: int, entry: str, **fields: str) -> None:
        """A complaint is opened."""
        self.happen(at, "complaint_opened", complaint_id=f"c-{next(self._numbers)}", entry=entry, **fields)

    def later(self, at: int) -> None:
        """Panes close, one after the other."""
        for end in range(0, at + 1, 5 * MINUTE):
            self.outputs += self._pipeline.mark(TEN + end + 31 * SECOND)

    def orders(self) -> list[str]:
        """What is done to the channel."""
        return [each.command for each in commands(self.outputs) if each.target == CHANNEL]

    def severities(self) -> set[str | None]:
        """Of what is told of the channel."""
        return {fact.severity for fact in facts(self.outputs) if fact.subject == CHANNEL}


def addresses() -> Iterator[str]:
    """Thirty of the one network that a customer is given, then nine of as many networks, three times."""
    yield from (f"2001:db8:7:7::{n:x}" for n in range(1, 31))
    for _ in range(3):
        yield from (f"198.51.{n}.1" for n in range(9))


def attack(channel: Channel, since: int = 0) -> None:
    for n, ip in enumerate(addresses()):
        channel.complain(since + n * 45 * SECOND, "one_click", ip=ip)


@pytest.mark.parametrize("customers", [0, 5])
def test_a_stranger_with_a_few_addresses_stops_and_slows_nothing(customers: int) -> None:
    channel = Channel()
    for n in range(customers):
        channel.complain(n * MINUTE, "hotline", account_id=f"customer-{n}")
    attack(channel)
    channel.later(60 * MINUTE)
    assert channel.orders() == []
    assert channel.severities() == ({"warning"} if customers else set()), "people are warned at twelve at most"


def test_the_one_network_is_frozen_as_one_actor() -> None:
    channel = Channel()
    attack(channel)
    frozen = {each.target for each in commands(channel.outputs) if each.command == "freeze"}
    assert len(frozen) == 1


def test_twenty_real_customers_stop_the_channel_while_the_attack_goes_on() -> None:
    channel = Channel()
    attack(channel)
    for n in range(19):
        channel.complain(50 * MINUTE + n * MINUTE, "hotline", account_id=f"customer-{n}", ip=f"192.0.2.{n}")
        assert ("pause" in channel.orders()) == (n + 1 + 10 >= 20), "half of the figure is all that strangers get"
    assert channel.orders() == ["pause"]


def test_without_the_attack_it_takes_all_twenty() -> None:
    channel = Channel()
    for n in range(20):
        assert channel.orders() == []
        channel.complain(n * MINUTE, "hotline", account_id=f"customer-{n}", ip=f"192.0.2.{n}")
    assert channel.orders() == ["pause"]
