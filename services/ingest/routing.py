"""Which event goes where: rows for the subjects that an event is about, without any personal data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import compress
from typing import Any

from schemas.frames import ActorFrame, ChannelFrame, ComplaintRow
from services.ingest.columns import ActorRows, ChannelRows
from services.ingest.pseudonyms import Actors, Pseudonyms, SharedAddresses, normal_address
from services.ingest.structs import NO_MEASURE

SUBJECTS = ("channel", "actor")
"""The subjects that are fed. Another one needs its rows here, its columns and its frame."""


@dataclass(slots=True)
class Rows:
    """The rows of one poll, for all subjects."""

    channel: ChannelRows = field(default_factory=ChannelRows)
    actor: ActorRows = field(default_factory=ActorRows)

    def close(self, source: int, first: int, next_offset: int) -> None:
        """What was added since the last call is the slice `[first, next_offset)` of this source."""
        self.channel.close(source, first, next_offset)
        self.actor.close(source, first, next_offset)

    def frames(self, partitions: int) -> Iterator[tuple[str, int, ChannelFrame | ActorFrame]]:
        """(subject, partition, frame) for each partition that has any row."""
        for partition, channel_frame in self.channel.frames(partitions):
            yield "channel", partition, channel_frame
        for partition, actor_frame in self.actor.frames(partitions):
            yield "actor", partition, actor_frame


@dataclass(frozen=True, slots=True)
class Routed:
    """How many rows a slice gave to each subject."""

    channel: int = 0
    actor: int = 0


class Router:
    """Turns valid events into rows.

    key: of the pseudonyms. One serves all source partitions.
    """

    def __init__(self, key: bytes, shared: Iterable[str] = ()) -> None:
        self._accounts = Pseudonyms(key, "account")
        self._addresses = Pseudonyms(key, "ip")
        self.share(shared)

    def share(self, addresses: Iterable[str]) -> None:
        """From now on these addresses and networks are no actors."""
        self._actors = Actors(self._addresses, SharedAddresses(addresses))

    def route(self, rows: Rows, topic: str, events: list[Any], offsets: list[int], times: list[int]) -> Routed:
        """Adds the rows of one slice: its events, new and in order, with their offsets and times (ms)."""
        match topic:
            case "channel-events":
                clicks = self._clicks(rows.actor, events, offsets, times)
                return Routed(_measures(rows.channel, events, offsets, times), clicks)
            case "conversion-events":
                return Routed(_measures(rows.channel, events, offsets, times))
            case "complaint-events":
                return Routed(self._complaints(rows.channel, events, offsets, times))
            case _:
                return Routed()

    def _complaints(self, rows: ChannelRows, events: list[Any], offsets: list[int], times: list[int]) -> int:
        opened = [index for index, event in enumerate(events) if event.opens]
        for index in opened:
            event = events[index]
            rows.complaints.append(
                ComplaintRow(
                    len(rows.parts),
                    offsets[index],
                    times[index],
                    event.channel_id,
                    event.complaint_id,
                    None if event.account_id is None else self._accounts.of(event.account_id),
                    None if event.ip is None else self._addresses.of(normal_address(event.ip)),
                    event.entry == "one_click",
                )
            )
        return len(opened)

    def _clicks(self, rows: ActorRows, events: list[Any], offsets: list[int], times: list[int]) -> int:
        wanted: list[Any] = [event.ip for event in events]
        actors = list(map(self._actors.__getitem__, filter(None, wanted)))
        if None in actors:  # shared addresses
            found = iter(actors)
            wanted = [ip is not None and next(found) is not None for ip in wanted]
            actors = [actor for actor in actors if actor is not None]
        if not actors:
            return 0
        # An address is never empty, so what is wanted selects itself.
        clicks = list(compress(events, wanted))
        number = rows.names.__getitem__
        rows.actors += map(rows.known_actors.__getitem__, actors)
        rows.accounts += self._accounts.of_all([event.account_id for event in clicks])
        rows.channels += map(number, [event.channel_id for event in clicks])
        rows.links += map(number, [event.link_id for event in clicks])
        rows.counts += _counts(clicks)
        rows.offsets += compress(offsets, wanted)
        rows.times += compress(times, wanted)
        return len(clicks)


def _measures(rows: ChannelRows, events: list[Any], offsets: list[int], times: list[int]) -> int:
    measures = bytearray([event.measure for event in events])
    if NO_MEASURE in measures:
        kept = [measure != NO_MEASURE for measure in measures]
        events, offsets, times = (list(compress(each, kept)) for each in (events, offsets, times))
        measures = bytearray(compress(measures, kept))
    rows.measures += measures
    rows.channels += map(rows.names.__getitem__, [event.channel_id for event in events])
    rows.counts += _counts(events)
    rows.offsets += offsets
    rows.times += times
    return len(events)


def _counts(events: list[Any]) -> list[int]:
    counts = [event.count for event in events]
    try:
        sum(counts)  # the cheapest look for a None
    except TypeError:
        return [1 if each is None else each for each in counts]
    return counts
