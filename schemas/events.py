"""Events: facts from outside, past tense. One JSON object a Kafka message, told apart by `type`.

Strict on purpose: what this page does not accept becomes a dead letter that names the field. Unknown fields are
dropped. Personal data (`ip`, `account_id`, `text`, `contact`) is allowed here and nowhere after ingest.
"""

from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from schemas.base import Fingerprint, Instant, Message, Name, Text

Count = Annotated[int, Field(ge=0, le=1_000_000_000_000)]
Amount = Annotated[float, Field(ge=0, le=1e12)]
Percent = Annotated[float, Field(ge=-1000, le=1000)]
Segment = Literal["young", "middle", "silver", "high_net_worth"]


class _Event(Message):
    event_id: Name
    occurred_at: Instant
    channel_id: Name | None = None
    product_id: Name | None = None
    segment: Segment | None = None


class _ChannelEvent(_Event):
    channel_id: Name


class Impression(_ChannelEvent):
    type: Literal["impression"]
    count: Count


class Click(_ChannelEvent):
    """One click with its address, or a platform's sum: a `count` and no `ip`. Without a count it is one."""

    type: Literal["click"]
    ip: Name | None = None
    account_id: Name | None = None
    link_id: Name | None = None
    count: Count | None = None


class Search(_ChannelEvent):
    type: Literal["search"]
    product_id: Name
    count: Count


class Spend(_ChannelEvent):
    """Advertising money spent, in CNY."""

    type: Literal["spend"]
    amount: Amount


class Engagement(_ChannelEvent):
    type: Literal["engagement"]
    kind: Name
    count: Count


class ContentPublished(_ChannelEvent):
    type: Literal["content_published"]
    content_id: Name
    body: Text
    disclosure_share: Annotated[float, Field(ge=0, le=1)] | None = None
    disclosure_font_ratio: Annotated[float, Field(ge=0, le=100)] | None = None
    reviewers: Annotated[list[Name], Field(max_length=50)]
    reviewed_fingerprint: Fingerprint | None = None
    """Of the body that the reviewers saw, as `tidegate scan --json` and `POST /api/v1/scan` give it."""


class ContentRemoved(_ChannelEvent):
    type: Literal["content_removed"]
    content_id: Name


class ComplaintOpened(_ChannelEvent):
    type: Literal["complaint_opened"]
    complaint_id: Name
    entry: Literal["one_click", "hotline", "branch", "regulator"]
    account_id: Name | None = None
    ip: Name | None = None
    text: Text | None = None
    contact: Name | None = None
    """How whoever complains wants to be answered: a telephone number or an address."""


class ComplaintAnswered(_Event):
    type: Literal["complaint_answered"]
    complaint_id: Name


class ComplaintClosed(_Event):
    type: Literal["complaint_closed"]
    complaint_id: Name


class Conversion(_ChannelEvent):
    type: Literal["conversion"]
    stage: Literal["lead", "account_opened", "purchase"]
    account_id: Name | None = None
    amount: Amount | None = None


class Mention(_Event):
    type: Literal["mention"]
    sentiment: Literal["positive", "neutral", "negative"]
    source: Name
    text: Text | None = None
    url: Annotated[str, Field(max_length=2_000)] | None = None


class Rate(_Event):
    type: Literal["rate"]
    series: Name
    month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
    percent: Percent


class GdpGrowth(_Event):
    type: Literal["gdp_growth"]
    quarter: Annotated[str, Field(pattern=r"^\d{4}-Q[1-4]$")]
    percent: Percent


class PolicyChange(_Event):
    type: Literal["policy_change"]
    title: Annotated[str, Field(min_length=1, max_length=2_000)]
    url: Annotated[str, Field(max_length=2_000)] | None = None


ChannelEvent = Impression | Click | Search | Spend | Engagement | ContentPublished | ContentRemoved
ComplaintEvent = ComplaintOpened | ComplaintAnswered | ComplaintClosed
MarketEvent = Rate | GdpGrowth | PolicyChange
AnyEvent = ChannelEvent | ComplaintEvent | Conversion | Mention | MarketEvent

EVENTS: Final[dict[str, tuple[type[_Event], ...]]] = {
    "channel-events": (Impression, Click, Search, Spend, Engagement, ContentPublished, ContentRemoved),
    "complaint-events": (ComplaintOpened, ComplaintAnswered, ComplaintClosed),
    "conversion-events": (Conversion,),
    "mention-events": (Mention,),
    "market-events": (Rate, GdpGrowth, PolicyChange),
}
"""Which types live on which topic."""


def type_of(model: type[_Event]) -> str:
    """The value of `type` that stands for this model."""
    (value,) = model.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
    return str(value)


TOPIC_OF: Final[dict[str, str]] = {type_of(model): topic for topic, models in EVENTS.items() for model in models}
"""The topic of each event type."""

EVENT: Final[TypeAdapter[AnyEvent]] = TypeAdapter(Annotated[AnyEvent, Field(discriminator="type")])
"""Validates any event: `EVENT.validate_json(raw, strict=True)`."""

MAX_RECORD_BYTES: Final = 256 * 1024
"""The largest record that may be an event; a larger one becomes a dead letter."""


def routing_key(event: AnyEvent) -> str:
    """The Kafka key of an event: its channel, else its product, else its type."""
    return event.channel_id or event.product_id or event.type
