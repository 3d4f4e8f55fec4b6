"""From events to frames and back: nothing lost, nothing invented, everything at its place."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.frames import MEASURES, ActorFrame, ChannelFrame, decode, encode, int32, int64, source_of, uint8
from services.ingest.murmur import partition_of
from tests.support.frames import FrameMaker, Placed, account, actor
from tests.unit.ingest.samples import AT_MS, event

ChannelRow = tuple[int, int, int, str, str, int]
"""(source, offset, time, channel, measure, amount)"""


def _slices(frame: ChannelFrame | ActorFrame) -> list[int]:
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
    _of("channel-events", "impression", channel_id=_CHANNELS, count=st.integers(0, 10**12)),
    _of("channel-events", "spend", channel_id=_CHANNELS, amount=st.sampled_from([0.0, 12.34, 1e12])),
    _of("channel-events", "content_removed", channel_id=_CHANNELS),
    _of(
        "conversion-events",
        "conversion",
        channel_id=_CHANNELS,
        stage=st.sampled_from(["lead", "account_opened", "purchase"]),
    ),
    _of(
        "complaint-events",
        "complaint_opened",
        channel_id=_CHANNELS,
        entry=st.sampled_from(["one_click", "branch"]),
        ip=st.sampled_from([None, "192.0.2.1"]),
    ),
    st.just(("complaint-events", event("complaint_closed"))),
    st.just(("mention-events", event("mention"))),
)
_POLLS = st.lists(st.lists(st.tuples(st.integers(0, 1), _EVENTS), max_size=30), min_size=1, max_size=3)

_MEASURE = {"impression": "impressions", "click": "clicks", "spend": "spend_micros"}
_STAGE = {"lead": "leads", "account_opened": "accounts_opened", "purchase": "purchases"}


@dataclass
class _Books:
    """Rows of all frames, or those that there should be, as tuples that begin with (source, offset, time)."""

    channel: list[tuple[Any, ...]] = field(default_factory=list)
    actor: list[tuple[Any, ...]] = field(default_factory=list)
    complaint: list[tuple[Any, ...]] = field(default_factory=list)

    def sorted(self) -> list[list[tuple[Any, ...]]]:
        return [sorted(rows, key=repr) for rows in (self.channel, self.actor, self.complaint)]

    def expect(self, source: int, offset: int, each: dict[str, Any]) -> None:
        """The rows that an event should give."""
        place = (source, offset, AT_MS)
        channel = each["channel_id"]
        count = 1 if each.get("count") is None else each["count"]
        ip = each.get("ip")
        whose = None if each.get("account_id") is None else account(each["account_id"])
        match each["type"]:
            case "conversion":
                self.channel.append((*place, channel, _STAGE[each["stage"]], 1))
            case "spend":
                self.channel.append((*place, channel, "spend_micros", round(each["amount"] * 1_000_000)))
            case "impression" | "click" as kind:
                self.channel.append((*place, channel, _MEASURE[kind], count))
            case "complaint_opened":
                who = None if ip is None else actor(ip)
                one_click = each["entry"] == "one_click"
                self.complaint.append((*place, channel, each["complaint_id"], whose, who, one_click))
        if each["type"] == "click" and ip not in (None, "shared"):
            self.actor.append((*place, actor(ip), whose, channel, each.get("link_id"), count))

    def read(self, partition: int, partitions: int, frame: ChannelFrame | ActorFrame) -> None:
        """The rows of a frame, which must all belong on its partition."""
        if isinstance(frame, ActorFrame):
            rows = _actor_rows(frame)
            assert all(partition_of(row[3], partitions) == partition for row in rows)
            assert len(frame.actors) == 16 * len({row[3] for row in rows}), "each actor once"
            self.actor += rows
            return
        self.channel += (found := _channel_rows(frame))
        channels = {row[3] for row in found} | {row.channel for row in frame.complaints}
        assert all(partition_of(channel.encode(), partitions) == partition for channel in channels)
        for row in frame.complaints:
            part = frame.slices[row.slice]
            assert part.first <= row.offset < part.next
            own = (row.offset, row.at_ms, row.channel, row.complaint_id, row.account, row.ip, row.one_click)
            self.complaint.append((part.source, *own))


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
        assert len(frames) == len({(subject, partition) for subject, partition, _ in frames})
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


def test_slices_join_up_though_not_every_record_gives_a_row() -> None:
    maker = FrameMaker()
    frames: list[ChannelFrame | ActorFrame] = []
    for begin in (0, 2):
        placed = [
            ("channel-events", 0, begin, event("click", event_id=f"{begin}")),
            ("channel-events", 0, begin + 1, event("content_removed", event_id=f"{begin + 1}")),
        ]
        frames += [frame for subject, _, frame in maker.poll(placed) if subject == "channel"]
    assert [(each.first, each.next, each.rows) for frame in frames for each in frame.slices] == [(0, 2, 1), (2, 4, 1)]
