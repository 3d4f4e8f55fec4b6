"""Several partitions of channel_control with their log between them, as Kafka would carry it."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from services.channel_control.governing.governor import Standing
from services.channel_control.holding.target import Target
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output, Record
from services.runtime.murmur import partition_of
from tests.unit.channel_control.orders import NOW_MS

PARTITIONS = 3


class Cluster:
    """What a machine orders goes to the machine of the target; everything else is kept."""

    def __init__(self, **policy: Any) -> None:
        self.machines = [ControlMachine(number, PARTITIONS) for number in range(PARTITIONS)]
        self.logs: list[list[Record]] = [[] for _ in range(PARTITIONS)]
        self.said: list[list[list[Output]]] = [[] for _ in range(PARTITIONS)]
        self.told: list[Output] = []
        self.now_ms = NOW_MS
        self.between: Callable[[], None] = lambda: None
        """What happens between an order and what comes of it."""
        self.apply(**policy)

    def apply(self, **policy: Any) -> None:
        """Another policy, on every partition."""
        self.everywhere(b"policy", json.dumps({"v": 1, "policy": {"version": 1, **policy}}).encode())

    def everywhere(self, key: bytes, value: bytes) -> None:
        """A record on every partition."""
        for number in range(PARTITIONS):
            self._append(number, key, value)

    def give(self, *orders: dict[str, Any]) -> list[Output]:
        """Orders, and all that comes of them on any partition."""
        queue = deque((str(each["target"]).encode(), json.dumps(each).encode()) for each in orders)
        outputs: list[Output] = []
        while queue:
            key, value = queue.popleft()
            self.now_ms += 1
            new = self._append(partition_of(key, PARTITIONS), key, value)
            self.between()
            queue += [(each.key or b"", each.value or b"") for each in new if each.topic == "channel-commands"]
            outputs += [each for each in new if each.topic != "channel-commands"]
        self.told += outputs
        return outputs

    def _append(self, number: int, key: bytes, value: bytes) -> list[Output]:
        record = Record(len(self.logs[number]), self.now_ms, key, value)
        self.logs[number].append(record)
        new = self.machines[number].apply(record)
        self.said[number].append(new)
        return new

    def target(self, name: str) -> Target:
        return self.machines[partition_of(name.encode(), PARTITIONS)].target(name)

    def paused(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if self.target(name).wanted().status == "paused"]

    @property
    def governor(self) -> Standing:
        found = [each.governor for each in self.machines if each.governor is not None]
        return found[0] if found else Standing()
