"""Product, segment and amount beside a channel's rows: of the row that they belong to, on whatever partition it is."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.frames import SEGMENTS, ChannelFrame, int32, int64, uint8
from tests.support.frames import FrameMaker

AT = "2026-11-23T10:00:00+08:00"
_EVENTS = st.lists(
    st.fixed_dictionaries(
        {
            "channel_id": st.sampled_from(["douyin", "baidu", "weibo"]),
            "product_id": st.sampled_from([None, "p-1", "p-2"]),
            "segment": st.sampled_from([None, *SEGMENTS]),
            "what": st.sampled_from(["click", "impression", "spend", "purchase", "lead"]),
            "amount": st.integers(0, 5),
        }
    ),
    max_size=30,
)


def _written(number: int, each: dict[str, Any]) -> tuple[str, int, int, dict[str, Any]]:
    event = {"event_id": f"e-{number}", "occurred_at": AT} | {
        k: each[k] for k in ("channel_id", "product_id", "segment")
    }
    match each["what"]:
        case "click":
            return "channel-events", 0, number, event | {"type": "click"}
        case "impression":
            return "channel-events", 0, number, event | {"type": "impression", "count": 2}
        case "spend":
            return "channel-events", 0, number, event | {"type": "spend", "amount": float(each["amount"])}
        case stage:
            return (
                "conversion-events",
                0,
                number,
                event | {"type": "conversion", "stage": stage, "amount": float(each["amount"])},
            )


def _told(frame: ChannelFrame) -> list[tuple[Any, ...]]:
    """Offset, channel, product, segment and what was paid of each row that is broken down."""
    rows = int32(frame.parted)
    products = [None if each < 0 else frame.products[each] for each in int32(frame.product).tolist()]
    segments = [None if each == 255 else SEGMENTS[each] for each in uint8(frame.segment).tolist()]
    channels = [frame.channels[each] for each in int32(frame.channel)[rows].tolist()]
    return list(
        zip(int64(frame.offset)[rows].tolist(), channels, products, segments, int64(frame.paid).tolist(), strict=True)
    )


@settings(max_examples=40)
@given(_EVENTS, st.integers(1, 3))
def test_every_row_that_tells_more_has_it(events: list[dict[str, Any]], partitions: int) -> None:
    expected = []
    for number, each in enumerate(events):
        paid = each["amount"] * 1_000_000 if each["what"] == "purchase" else 0
        if each["what"] != "impression" and (each["product_id"] or each["segment"] or paid):
            expected.append((number, each["channel_id"], each["product_id"], each["segment"], paid))
    frames = FrameMaker(partitions).poll([_written(number, each) for number, each in enumerate(events)])
    found = [row for _, _, frame in frames if isinstance(frame, ChannelFrame) for row in _told(frame)]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
