"""Rows for frames.product: searches and purchases of products, and which channels carried which product when."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from schemas.frames import FORMAT, ProductFrame
from services.ingest.frames.murmur import partition_of_name
from services.ingest.frames.parts import Columns, Index, by_home, members, new_index, renumbered, slices_of

HOUR_MS: Final = 3_600_000


@dataclass(slots=True)
class ProductRows(Columns):
    """measures: indices into MEASURES. carried: of each event that shows a product on a channel, both as numbers, its
    time, its part and its offset."""

    names: Index = field(default_factory=new_index)
    channels: Index = field(default_factory=new_index)
    products: list[int] = field(default_factory=list)
    measures: bytearray = field(default_factory=bytearray)
    carried_products: list[int] = field(default_factory=list)
    carried_channels: list[int] = field(default_factory=list)
    carried_times: list[int] = field(default_factory=list)
    carried_parts: list[int] = field(default_factory=list)
    carried_offsets: list[int] = field(default_factory=list)

    def frames(self, partitions: int) -> Iterator[tuple[int, ProductFrame]]:
        """The frame of each partition that has anything to say, by partition."""
        if not self.products and not self.carried_products:
            return
        names, channels = members(self.names), members(self.channels)
        homes = np.array([partition_of_name(name, partitions) for name in names], np.uint16)
        products, carried = np.array(self.products, np.intp), self._carried()
        measures, numbers = np.frombuffer(self.measures, np.uint8), self.numbers()
        own_carried = by_home(homes[carried[0]], partitions)
        for partition, chosen in enumerate(by_home(homes[products], partitions)):
            shown = carried[:, own_carried[partition]]
            if not len(chosen) and not shown.size:
                continue
            both, used = renumbered(np.concatenate((products[chosen], shown[0])).astype("<i4"), len(names))
            channel, used_channels = renumbered(shown[1].astype("<i4"), len(channels))
            offset, at_ms, amount = numbers[:, chosen]
            slices, places = slices_of(self.parts, chosen, set(shown[3].tolist()))
            yield (
                partition,
                ProductFrame(
                    FORMAT,
                    slices,
                    [names[each] for each in used.nonzero()[0].tolist()],
                    [channels[each] for each in used_channels.nonzero()[0].tolist()],
                    offset.tobytes(),
                    at_ms.tobytes(),
                    both[: len(chosen)].tobytes(),
                    measures[chosen].tobytes(),
                    amount.tobytes(),
                    both[len(chosen) :].tobytes(),
                    channel.tobytes(),
                    shown[2].astype("<i4").tobytes(),
                    np.array(places, "<i4")[shown[3]].tobytes(),
                    shown[4].astype("<i8").tobytes(),
                ),
            )

    def _carried(self) -> np.ndarray:
        """Product, channel and hour, part and offset: one combination a column, in order, each with its first event,
        by source and offset."""
        hours = np.array(self.carried_times, np.int64) // HOUR_MS
        where = np.array((self.carried_parts, self.carried_offsets), np.int64)
        sources = np.array([part.source for part in self.parts], np.int64)[where[0]]
        what = np.array((self.carried_products, self.carried_channels, hours), np.int64)
        order = np.lexsort((where[1], sources, *what[::-1]))
        what, where = what[:, order], where[:, order]
        first = np.ones(len(order), np.bool_)
        first[1:] = (what[:, 1:] != what[:, :-1]).any(0)
        return np.concatenate((what, where))[:, first]
