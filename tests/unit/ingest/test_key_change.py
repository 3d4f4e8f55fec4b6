"""What a change of the pseudonym key costs, as docs/operations.md has it, and what it does not."""

import hashlib
import json
from typing import Any, Final

from schemas.base import from_ms
from schemas.commands import Command
from schemas.policy import Policy
from services.cli.backtest.pipeline import Pipeline, RawRecord
from services.ingest.frames.pseudonyms import Pseudonyms
from services.ingest.frames.routing import Router
from tests.support.indicator_log import TEN, commands

OLD, NEW = "the key of until now", "the key from now on"
IP: Final = "9.18.27.36"


class Changing:
    """Ingest and the indicators; every event comes 100 ms after the one before."""

    def __init__(self) -> None:
        self._pipeline = Pipeline(Policy(version=1), OLD.encode())
        self._number = 0

    def change_key(self) -> None:
        self._pipeline._router = Router(NEW.encode())

    def give(self, topic: str, count: int, **fields: Any) -> list[Command]:
        found: list[Command] = []
        for _ in range(count):
            self._number += 1
            at = TEN + self._number * 100
            event = {"event_id": f"e{self._number}", "channel_id": "douyin", "occurred_at": from_ms(at).isoformat()}
            named = {name: str(value).replace("#", str(self._number)) for name, value in fields.items()}
            value = json.dumps(event | named).encode()
            found += commands(self._pipeline.feed([RawRecord(topic, 0, self._number, at, value)], at))
            found += commands(self._pipeline.mark(at))
        return found

    def clicks(self, count: int) -> set[str]:
        """What was frozen because of them."""
        return {each.target for each in self.give("channel-events", count, type="click", ip=IP)} - {"channel:douyin"}


def actor(key: str) -> str:
    return f"actor:{Pseudonyms(key.encode(), 'ip').of(IP).hex()}"


def test_a_flood_of_clicks_is_counted_anew_and_a_hold_keeps_its_name() -> None:
    system = Changing()
    assert system.clicks(99) == set()
    system.change_key()
    assert system.clicks(99) == set(), "198 within 20 seconds, of which each name has 99"
    assert system.clicks(1) == {actor(NEW)}


def test_who_was_frozen_is_frozen_once_more_by_the_new_name() -> None:
    system = Changing()
    assert system.clicks(100) == {actor(OLD)}
    system.change_key()
    assert system.clicks(100) == {actor(NEW)}


def test_complaints_go_on_to_count_and_one_person_may_count_for_another_three() -> None:
    system = Changing()
    said = {"type": "complaint_opened", "complaint_id": "c#", "entry": "hotline"}
    assert system.give("complaint-events", 14, **said, account_id="a-#") == []
    assert system.give("complaint-events", 5, **said, account_id="again") == [], (
        "17 count, since three of one person do"
    )
    system.change_key()
    assert system.give("complaint-events", 2, **said, account_id="again") == []
    assert [each.command for each in system.give("complaint-events", 1, **said, account_id="again")] == ["pause"]


def test_an_account_system_finds_names_as_the_guide_says() -> None:
    account_id = "客户-7"
    name = hashlib.blake2b(account_id.encode(), digest_size=16, key=NEW.encode(), person=b"account").hexdigest()
    assert name == Pseudonyms(NEW.encode(), "account").of(account_id).hex()
