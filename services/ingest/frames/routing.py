"""Which event goes where: rows for the subjects that an event is about, without any personal data."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, Final

from schemas.frames import MEASURES, SubjectFrame
from schemas.rows import CaseRow, ComplaintRow, ContentRow, FloodRow, MentionRow, ReadingRow
from services.ingest.frames.columns import ActorRows, ChannelRows
from services.ingest.frames.product_rows import ProductRows
from services.ingest.frames.pseudonyms import Actors, Kept, Pseudonyms, SharedAddresses, normal_address
from services.ingest.frames.redaction import quote
from services.ingest.frames.row_lists import RowList, cases, contents, mentions, readings
from services.ingest.reading.structs import NO_MEASURE

_SEARCH: Final = MEASURES.index("searches")
_SPEND: Final = MEASURES.index("spend_micros")
_PURCHASE: Final = MEASURES.index("purchases")
_NO_RATES: Final = frozenset({"gdp", "policy"})
"""Series of their own: a rate that is called so must not pass for one of them."""
_WORD: Final = {"complaint_opened": "opened", "complaint_answered": "answered", "complaint_closed": "closed"}


Frames = Iterator[tuple[str, int, SubjectFrame]]
"""(subject, partition, frame)"""


@dataclass(slots=True)
class PatientRows:
    """Rows that may wait for half a second, so that frames are fewer and fuller: a frame costs as much as a hundred
    events. Some are judged only when a pane closes; and no address, mention or deadline is worth the hurry."""

    channel: ChannelRows = field(default_factory=ChannelRows)
    product: ProductRows = field(default_factory=ProductRows)
    actor: ActorRows = field(default_factory=ActorRows)
    complaint: RowList[CaseRow] = field(default_factory=cases)
    brand: RowList[MentionRow] = field(default_factory=mentions)

    def close(self, source: int, first: int, next_offset: int) -> None:
        """See Rows.close."""
        for name in self.__slots__:
            getattr(self, name).close(source, first, next_offset)

    def frames(self, partitions: int) -> Frames:
        """The frame of each partition that has any row."""
        return _frames(self, self.__slots__, partitions)


@dataclass(slots=True)
class Rows:
    """The rows of one poll, by subject; of a channel only complaints, the rest of it is patient."""

    patient: PatientRows = field(default_factory=PatientRows)
    channel: ChannelRows = field(default_factory=ChannelRows)
    content: RowList[ContentRow] = field(default_factory=contents)
    market: RowList[ReadingRow] = field(default_factory=readings)

    def close(self, source: int, first: int, next_offset: int) -> None:
        """What was added since the last call is the slice `[first, next_offset)` of this source."""
        for name in self.__slots__:
            getattr(self, name).close(source, first, next_offset)

    def urgent(self, partitions: int) -> Frames:
        """The frame of each partition that has any row to be judged at once."""
        return _frames(self, self.__slots__[1:], partitions)

    def frames(self, partitions: int) -> Frames:
        """All frames."""
        yield from self.urgent(partitions)
        yield from self.patient.frames(partitions)


def _frames(rows: object, subjects: Iterable[str], partitions: int) -> Frames:
    for name in subjects:
        for partition, frame in getattr(rows, name).frames(partitions):
            yield name, partition, frame


class Router:
    """Turns valid events into rows.

    key: of the pseudonyms; None where the events of an archive carry pseudonyms already. One serves all source
    partitions.
    """

    def __init__(self, key: bytes | None, shared: Iterable[str] = ()) -> None:
        self._accounts = Kept() if key is None else Pseudonyms(key, "account")
        self._addresses = Kept() if key is None else Pseudonyms(key, "ip")
        self.share(shared)

    def share(self, addresses: Iterable[str]) -> None:
        """From now on these addresses and networks are no actors."""
        self._actors = Actors(self._addresses, SharedAddresses(addresses))

    def route(self, rows: Rows, topic: str, events: list[Any], offsets: list[int], times: list[int]) -> Counter[str]:
        """Adds the rows of one slice: its events, new and in order, with their offsets and times (ms).

        How many rows each subject got.
        """
        match topic:
            case "channel-events":
                return self._channel_events(rows, events, offsets, times)
            case "conversion-events":
                measures = bytearray([event.measure for event in events])
                bought = [event.product_id is not None and event.measure == _PURCHASE for event in events]
                product = _product_rows(rows.patient.product, bought, measures, events, offsets, times)
                rows.patient.channel.breakdown.add_conversions(len(rows.patient.channel.offsets), events)
                return Counter(
                    channel=_measures(rows.patient.channel, measures, events, offsets, times), product=product
                )
            case "complaint-events":
                return self._complaint_events(rows, events, offsets, times)
            case "mention-events":
                part = len(rows.patient.brand.parts)
                rows.patient.brand.rows += map(_mention, [part] * len(events), events, offsets, times)
                return Counter(brand=len(events))
            case _:
                part = len(rows.market.parts)
                rows.market.rows += map(_reading, [part] * len(events), events, offsets, times)
                return Counter(market=len(events))

    # -- channel events

    def _channel_events(self, rows: Rows, events: list[Any], offsets: list[int], times: list[int]) -> Counter[str]:
        measures = bytearray([event.measure for event in events])
        content = 0
        if NO_MEASURE in measures:
            content = _contents(rows, events, offsets, times)
            kept = [measure != NO_MEASURE for measure in measures]
            events, offsets, times = (list(compress(each, kept)) for each in (events, offsets, times))
            measures = bytearray(compress(measures, kept))
        actor = self._clicks(rows.patient.actor, events, offsets, times)
        products = [event.product_id for event in events]
        product = 0
        if any(products):
            shown = [name is not None and measure != _SPEND for name, measure in zip(products, measures, strict=True)]
            _carried(rows.patient.product, *(compress(each, shown) for each in (events, offsets, times)))
            searched = [measure == _SEARCH for measure in measures]
            product = _product_rows(rows.patient.product, searched, measures, events, offsets, times)
        rows.patient.channel.breakdown.add(len(rows.patient.channel.offsets), measures, products, events)
        channel = _measures(rows.patient.channel, measures, events, offsets, times)
        return Counter(channel=channel, product=product, actor=actor, content=content)

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

    # -- complaint events

    def _complaint_events(self, rows: Rows, events: list[Any], offsets: list[int], times: list[int]) -> Counter[str]:
        counts: Counter[str] = Counter(complaint=len(events))
        for event, offset, at in zip(events, offsets, times, strict=True):
            rows.patient.complaint.rows.append(_case(len(rows.patient.complaint.parts), event, offset, at))
            if event.event_type == "complaint_opened":
                counts["channel"] += 1
                counts["actor"] += self._opened(rows, event, offset, at)
        return counts

    def _opened(self, rows: Rows, event: Any, offset: int, at: int) -> bool:
        """Whether it is an actor's as well."""
        account = None if event.account_id is None else self._accounts.of(event.account_id)
        ip = None if event.ip is None else self._addresses.of(normal_address(event.ip))
        one_click = event.entry == "one_click"
        place = len(rows.channel.parts), offset, at
        rows.channel.complaints.append(
            ComplaintRow(*place, event.channel_id, event.complaint_id, account, ip, one_click, event.product_id)
        )
        actor = None if event.ip is None or not one_click else self._actors[event.ip]
        if actor is not None:
            rows.patient.actor.complaints.append(FloodRow(*place, actor, account, event.channel_id, event.complaint_id))
        return actor is not None


def _measures(rows: ChannelRows, measures: bytearray, events: list[Any], offsets: list[int], times: list[int]) -> int:
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


def _product_rows(
    rows: ProductRows,
    wanted: Sequence[bool],
    measures: bytearray,
    events: list[Any],
    offsets: list[int],
    times: list[int],
) -> int:
    chosen = list(compress(events, wanted))
    if not chosen:
        return 0
    rows.products += map(rows.names.__getitem__, [event.product_id for event in chosen])
    rows.measures += bytearray(compress(measures, wanted))
    rows.counts += _counts(chosen)
    rows.offsets += compress(offsets, wanted)
    rows.times += compress(times, wanted)
    return len(chosen)


def _carried(rows: ProductRows, events: Iterable[Any], offsets: Iterable[int], times: Iterable[int]) -> None:
    """Each of these events shows a product on a channel."""
    shown = list(events)
    rows.carried_products += map(rows.names.__getitem__, [event.product_id for event in shown])
    rows.carried_channels += map(rows.channels.__getitem__, [event.channel_id for event in shown])
    rows.carried_times += times
    rows.carried_offsets += offsets
    rows.carried_parts += [len(rows.parts)] * len(shown)


def _contents(rows: Rows, events: list[Any], offsets: list[int], times: list[int]) -> int:
    found = [each for each in zip(events, offsets, times, strict=True) if each[0].measure == NO_MEASURE]
    for event, offset, at in found:
        rows.content.rows.append(_content(len(rows.content.parts), event, offset, at))
        if event.event_type == "content_published" and event.product_id is not None:
            _carried(rows.patient.product, [event], [offset], [at])
    return len(found)


def _content(part: int, event: Any, offset: int, at: int) -> ContentRow:
    if event.event_type == "content_removed":
        return ContentRow(part, offset, at, event.content_id, event.channel_id, False, event.product_id)
    return ContentRow(
        part,
        offset,
        at,
        event.content_id,
        event.channel_id,
        True,
        event.product_id,
        event.body,
        event.disclosure_share,
        event.disclosure_font_ratio,
        len(set(event.reviewers)),
        event.reviewed_fingerprint,
    )


def _case(part: int, event: Any, offset: int, at: int) -> CaseRow:
    opened = event.event_type == "complaint_opened"
    return CaseRow(
        part,
        offset,
        at,
        event.complaint_id,
        _WORD[event.event_type],  # type: ignore[arg-type]
        event.channel_id,
        event.product_id,
        event.segment == "high_net_worth",
        event.entry if opened else None,
        event.segment,
    )


def _mention(part: int, event: Any, offset: int, at: int) -> MentionRow:
    said = quote(event.text) if event.text and event.sentiment == "negative" else None
    return MentionRow(part, offset, at, event.sentiment, event.source, event.product_id, said)


def _reading(part: int, event: Any, offset: int, at: int) -> ReadingRow:
    match event.event_type:
        case "rate":
            series = f"rate_{event.series}" if event.series in _NO_RATES else event.series
            return ReadingRow(part, offset, at, series, event.month, repr(event.percent), None, None)
        case "gdp_growth":
            return ReadingRow(part, offset, at, "gdp", event.quarter, repr(event.percent), None, None)
        case _:
            return ReadingRow(part, offset, at, "policy", None, None, event.title, event.url)
