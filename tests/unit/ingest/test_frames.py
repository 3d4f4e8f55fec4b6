"""From events to frames and back: nothing lost, nothing invented, everything at its place."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.base import read_instant, to_ms
from schemas.frames import (
    MEASURES,
    ActorFrame,
    ChannelFrame,
    ProductFrame,
    SubjectFrame,
    decode,
    encode,
    int32,
    int64,
    source_of,
    uint8,
)
from schemas.rows import CaseRow, ContentRow, ReadingRow, Row
from services.ingest.frames.redaction import quote
from services.runtime.murmur import partition_of
from tests.support.frames import FrameMaker, Placed, account, actor
from tests.unit.ingest.samples import AT, event

ChannelRow = tuple[int, int, int, str, str, int]
"""(source, offset, time, channel, measure, amount)"""


def _slices(frame: ChannelFrame | ActorFrame | ProductFrame) -> list[int]:
    """The source of each row, after the checks that every frame must pass."""
    sources: list[int] = []
    offsets = int64(frame.offset).tolist()
    for each in frame.slices:
        rows = offsets[len(sources) : len(sources) + each.rows]
        assert rows == sorted(set(rows)), "in order"
        assert all(each.first <= offset < each.next for offset in rows)
        sources += [each.source] * each.rows
    assert len(sources) == len(offsets)
    assert len({each.source for each in frame.slices}) == len(frame.slices)
    return sources


def _channel_rows(frame: ChannelFrame) -> list[ChannelRow]:
    names = [frame.channels[index] for index in int32(frame.channel).tolist()]
    assert set(names) == set(frame.channels), "no channel without a row"
    measures = [MEASURES[code] for code in uint8(frame.measure).tolist()]
    columns = (int64(frame.offset).tolist(), int64(frame.at_ms).tolist(), names, measures, int64(frame.amount).tolist())
    return list(zip(_slices(frame), *columns, strict=True))


def _actor_rows(frame: ActorFrame) -> list[tuple[Any, ...]]:
    def named(table: bytes, index: int) -> bytes | None:
        return None if index < 0 else table[index * 16 : index * 16 + 16]

    def name(index: int) -> str | None:
        return None if index < 0 else frame.names[index]

    return [
        (source, offset, at, named(frame.actors, who), named(frame.accounts, whose), name(channel), name(link), count)
        for source, offset, at, who, whose, channel, link, count in zip(
            _slices(frame),
            int64(frame.offset).tolist(),
            int64(frame.at_ms).tolist(),
            int32(frame.actor).tolist(),
            int32(frame.account).tolist(),
            int32(frame.channel).tolist(),
            int32(frame.link).tolist(),
            int64(frame.count).tolist(),
            strict=True,
        )
    ]


_CHANNELS = st.sampled_from(["douyin", "weibo", "抖音", "x" * 200])
_PRODUCTS = st.sampled_from(["p-1", "p-2", "稳利"])
_OPTIONAL = st.sampled_from([..., None, "p-1", "p-2", "稳利"])
_COMPLAINTS = st.sampled_from(["k-1", "k-2"])
_CONTENTS = st.sampled_from(["c-1", "c-2"])
_COUNTS = st.sampled_from([..., None, 0, 5])


def _of(topic: str, kind: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, dict[str, Any]]]:
    """(topic, event) with drawn fields."""
    return st.fixed_dictionaries(fields).map(lambda drawn: (topic, event(kind, **drawn)))


_EVENTS = st.one_of(
    _of(
        "channel-events",
        "click",
        channel_id=_CHANNELS,
        ip=st.sampled_from([..., None, "192.0.2.1", "192.0.2.2", "2001:db8::1", "shared"]),
        account_id=st.sampled_from([..., None, "a", "b"]),
        link_id=st.sampled_from([..., None, "l"]),
        count=_COUNTS,
    ),
    _of(
        "channel-events",
        "impression",
        channel_id=_CHANNELS,
        count=st.integers(0, 10**12),
        product_id=_OPTIONAL,
        occurred_at=st.sampled_from([AT, "2026-11-23T08:30:00.250Z"]),
    ),
    _of("channel-events", "spend", channel_id=_CHANNELS, amount=st.sampled_from([0.0, 12.34, 1e12])),
    _of("channel-events", "search", product_id=_PRODUCTS, channel_id=_CHANNELS),
    _of("channel-events", "content_removed", channel_id=_CHANNELS, content_id=_CONTENTS),
    _of("channel-events", "content_published", channel_id=_CHANNELS, content_id=_CONTENTS, product_id=_OPTIONAL),
    _of(
        "conversion-events",
        "conversion",
        channel_id=_CHANNELS,
        stage=st.sampled_from(["lead", "account_opened", "purchase"]),
        product_id=_OPTIONAL,
    ),
    _of(
        "complaint-events",
        "complaint_opened",
        channel_id=_CHANNELS,
        entry=st.sampled_from(["one_click", "branch"]),
        product_id=st.sampled_from([..., "p-1"]),
        ip=st.sampled_from([None, "192.0.2.1"]),
    ),
    _of(
        "complaint-events", "complaint_answered", complaint_id=st.sampled_from(["k-1", "k-2"]), channel_id=st.just(...)
    ),
    _of("complaint-events", "complaint_closed", segment=st.sampled_from([..., "young", "high_net_worth"])),
    _of("mention-events", "mention", sentiment=st.sampled_from(["negative", "positive"]), text=st.just("退钱")),
    _of("market-events", "rate", series=st.sampled_from(["lpr_1y", "lpr_5y"])),
    st.just(("market-events", event("gdp_growth"))),
    st.just(("market-events", event("policy_change"))),
)
_POLLS = st.lists(st.lists(st.tuples(st.integers(0, 1), _EVENTS), max_size=30), min_size=1, max_size=3)

_MEASURE = {"impression": "impressions", "click": "clicks", "spend": "spend_micros", "search": "searches"}
_STAGE = {"lead": "leads", "account_opened": "accounts_opened", "purchase": "purchases"}


_CARRIES = ("impression", "click", "search", "engagement", "content_published")


@dataclass
class _Books:
    """Rows of all frames, or those that there should be, as tuples that begin with (source, offset, time)."""

    channel: list[tuple[Any, ...]] = field(default_factory=list)
    actor: list[tuple[Any, ...]] = field(default_factory=list)
    complaint: list[tuple[Any, ...]] = field(default_factory=list)
    product: list[tuple[Any, ...]] = field(default_factory=list)
    carried: dict[tuple[str, str, int], tuple[int, int]] = field(default_factory=dict)
    """Each with the first event that says so."""
    rows: list[tuple[Any, ...]] = field(default_factory=list)

    def sorted(self) -> list[list[tuple[Any, ...]]]:
        by_kind = (self.channel, self.actor, self.complaint, self.product, self.rows)
        return [sorted(rows, key=repr) for rows in (*by_kind, list(self.carried.items()))]

    def expect(self, source: int, offset: int, each: dict[str, Any]) -> None:
        """The rows that an event should give."""
        place = (source, offset, to_ms(read_instant(each["occurred_at"])))
        self._expect_numbers(place, each)
        self.rows += [(*place, *row) for row in _rows_of(each)]
        if each["type"] == "complaint_opened":
            self._expect_complaint(place, each)
        if each["type"] in _CARRIES and each.get("product_id") is not None:
            self.carry((each["product_id"], each["channel_id"], place[2] // 3_600_000), place[:2])
        if each["type"] == "click" and each.get("ip") not in (None, "shared"):
            whose = None if each.get("account_id") is None else account(each["account_id"])
            self.actor.append((*place, actor(each["ip"]), whose, each["channel_id"], each.get("link_id"), _count(each)))

    def carry(self, what: tuple[str, str, int], event: tuple[int, int]) -> None:
        self.carried[what] = min(event, self.carried.get(what, event))

    def _expect_numbers(self, place: tuple[int, int, int], each: dict[str, Any]) -> None:
        channel, product = each.get("channel_id"), each.get("product_id")
        match each["type"]:
            case "conversion":
                self.channel.append((*place, channel, _STAGE[each["stage"]], 1))
                if each["stage"] == "purchase" and product is not None:
                    self.product.append((*place, product, "purchases", 1))
            case "spend":
                self.channel.append((*place, channel, "spend_micros", round(each["amount"] * 1_000_000)))
            case "impression" | "click" | "search" as kind:
                self.channel.append((*place, channel, _MEASURE[kind], _count(each)))
                if kind == "search":
                    self.product.append((*place, product, "searches", _count(each)))

    def _expect_complaint(self, place: tuple[int, int, int], each: dict[str, Any]) -> None:
        ip, channel = each.get("ip"), each["channel_id"]
        whose = None if each.get("account_id") is None else account(each["account_id"])
        who, one_click = None if ip is None else actor(ip), each["entry"] == "one_click"
        self.complaint.append((*place, channel, each["complaint_id"], whose, who, one_click, each.get("product_id")))
        if who is not None and one_click:
            self.complaint.append((*place, who, whose, channel, each["complaint_id"]))

    def read(self, partition: int, partitions: int, frame: SubjectFrame) -> None:
        """The rows of a frame, which must all belong on its partition."""
        homes: set[bytes]
        if isinstance(frame, ActorFrame):
            rows = _actor_rows(frame)
            homes = {row[3] for row in rows} | {row.ip for row in frame.complaints}
            assert len(frame.actors) == 16 * len({row[3] for row in rows}), "each actor once"
            self.actor += rows
            self.complaint += _singles(frame, frame.complaints)
        elif isinstance(frame, ChannelFrame):
            self.channel += (found := _channel_rows(frame))
            homes = {row[3].encode() for row in found} | {row.channel.encode() for row in frame.complaints}
            self.complaint += _singles(frame, frame.complaints)
        elif isinstance(frame, ProductFrame):
            homes = self._read_product(frame)
        else:
            assert all(each.rows == 0 for each in frame.slices)
            assert {row.slice for row in frame.rows} == set(range(len(frame.slices))), "no slice without a row"
            self.rows += _singles(frame, frame.rows)
            homes = {_home(row).encode() for row in frame.rows}
        assert all(partition_of(home, partitions) == partition for home in homes)

    def _read_product(self, frame: ProductFrame) -> set[bytes]:
        names = [frame.products[index] for index in int32(frame.product).tolist()]
        measures = [MEASURES[code] for code in uint8(frame.measure).tolist()]
        numbers = (int64(frame.offset).tolist(), int64(frame.at_ms).tolist())
        self.product += zip(_slices(frame), *numbers, names, measures, int64(frame.amount).tolist(), strict=True)
        columns = (frame.carried_product, frame.carried_channel, frame.carried_hour)
        carried = list(zip(*(int32(column).tolist() for column in columns), strict=True))
        assert len(carried) == len(set(carried)), "each once"
        shown = [(frame.products[product], frame.channels[channel], hour) for product, channel, hour in carried]
        places = zip(int32(frame.carried_slice).tolist(), int64(frame.carried_offset).tolist(), strict=True)
        for what, (place, offset) in zip(shown, places, strict=True):
            self.carry(what, (frame.slices[place].source, offset))
        used = {*names, *(product for product, _, _ in shown)}
        assert used == set(frame.products), "no product without a row"
        assert {channel for _, channel, _ in shown} == set(frame.channels), "no channel without a row"
        return {name.encode() for name in used}


def _count(each: dict[str, Any]) -> int:
    return 1 if each.get("count") is None else int(each["count"])


def _rows_of(each: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What an event should give as a row of its own, without its place."""
    kind, channel, product = each["type"], each.get("channel_id"), each.get("product_id")
    match kind:
        case "mention":
            return [(each["sentiment"], each["source"], None, "退钱" if each["sentiment"] == "negative" else None)]
        case "rate":
            return [(each["series"], each["month"], "3.1", None, None)]
        case "gdp_growth":
            return [("gdp", each["quarter"], "4.8", None, None)]
        case "policy_change":
            return [("policy", None, None, each["title"], None)]
        case "content_removed":
            return [(each["content_id"], channel, False, product, "", None, None, 0, None)]
        case "content_published":
            return [(each["content_id"], channel, True, product, each["body"], None, None, 2, None)]
        case "complaint_opened" | "complaint_answered" | "complaint_closed":
            rich, what = each.get("segment") == "high_net_worth", kind.removeprefix("complaint_")
            return [(each["complaint_id"], what, channel, product, rich, each.get("entry"), each.get("segment"))]
        case _:
            return []


def _singles(frame: SubjectFrame, rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    """Rows of their own, with the source instead of the slice."""
    found = []
    for row in rows:
        part = frame.slices[row.slice]
        assert part.first <= row.offset < part.next
        found.append((part.source, *msgspec.structs.astuple(row)[1:]))
    return found


def _home(row: Row) -> str:
    """The name whose partition a row belongs on."""
    match row:
        case CaseRow():
            return row.complaint_id
        case ContentRow():
            return row.content_id
        case ReadingRow():
            return row.series
        case _:
            return "all"


@given(_POLLS, st.integers(1, 3))
def test_every_event_has_its_row_in_the_right_frame_and_no_other(
    polls: list[list[tuple[int, tuple[str, dict[str, Any]]]]], partitions: int
) -> None:
    maker = FrameMaker(partitions, shared=["shared"])
    offsets: Counter[tuple[str, int]] = Counter()
    expected, found = _Books(), _Books()
    for poll in polls:
        placed: list[Placed] = []
        for home, (topic, one) in poll:
            partition = home % partitions
            offset = offsets[topic, partition]
            offsets[topic, partition] += 1
            each = one | {"event_id": f"{topic}-{partition}-{offset}"}
            placed.append((topic, partition, offset, each))
            expected.expect(source_of(topic, partition), offset, each)
        frames = maker.poll(placed)
        for _, partition, frame in frames:
            assert decode(encode(frame)) == frame
            found.read(partition, partitions, frame)
    assert found.sorted() == expected.sorted()


def test_frames_hold_no_personal_data() -> None:
    click = event("click", ip="203.0.113.77", account_id="someone@example.org")
    complaint = event("complaint_opened", ip="203.0.113.77", account_id="someone@example.org", text="call me")
    placed = [("channel-events", 0, 0, click), ("complaint-events", 0, 0, complaint)]
    written = b"".join(encode(frame) for _, _, frame in FrameMaker().poll(placed))
    assert not any(secret in written for secret in (b"203.0.113.77", b"someone", b"call me"))


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("客服不理人，我的电话 138-0013 8000，微信 vx: abc_123", "客服不理人，我的电话 ***，微信 ***"),
        ("写信到 wang.li@example.com 或 @王小明", "写信到 *** 或 ***"),
        ("身份证 11010519491231002X\n卡号 6222 0200 1234 5678", "身份证 *** 卡号 ***"),
        ("赔了 2000 元，见 https://example.com/u/77", "赔了 2000 元，见 ***"),
        ("长" * 200, "长" * 119 + "…"),
    ],
)
def test_a_quote_names_and_reaches_nobody(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@pytest.mark.parametrize(
    "text", ["骗" * 20_000, "a" * 20_000, "1 " * 10_000, "骗@" * 10_000, "a.b-" * 5_000, "a@" + "b" * 19_998]
)
def test_a_quote_takes_no_longer_for_a_text_that_was_made_to(text: str) -> None:
    began = process_time()
    quote(text)
    assert process_time() - began < 0.3


def test_slices_join_up_though_not_every_record_gives_a_row() -> None:
    maker = FrameMaker()
    frames: list[SubjectFrame] = []
    for begin in (0, 2):
        placed = [
            ("channel-events", 0, begin, event("click", event_id=f"{begin}")),
            ("channel-events", 0, begin + 1, event("content_removed", event_id=f"{begin + 1}")),
        ]
        frames += [frame for subject, _, frame in maker.poll(placed) if subject == "channel"]
    assert [(each.first, each.next, each.rows) for frame in frames for each in frame.slices] == [(0, 2, 1), (2, 4, 1)]
