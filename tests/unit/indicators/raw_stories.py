"""Random stories of raw events, cut into polls in any way and made into frames by ingest's own routing.

One function a subject says what may happen to it; `TELLERS` names them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any

from schemas.base import from_ms
from schemas.events import TOPIC_OF
from schemas.frames import SubjectFrame
from services.runtime.machines.machine import Record
from services.scanning.fingerprints import fingerprint
from tests.support.frames import FrameMaker, Placed
from tests.support.indicator_log import TEN, Log, mark, policy
from tests.unit.indicators.world import HOUR, MINUTE, SECOND

Raw = tuple[str, Mapping[str, Any]]
"""A type of event and its fields."""


@dataclass(frozen=True)
class Teller:
    """step: how far time moves between two marks (ms). tell: one thing that happens at random. figures: what a few
    events reach, as the policy's `indicators`."""

    steps: tuple[int, ...]
    tell: Callable[[Random], Raw]
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Happened:
    """One raw event, with when it happened."""

    at_ms: int
    what: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class RawStory:
    """What happens between marks; each segment ends with one."""

    subject: str
    segments: tuple[tuple[tuple[Happened, ...], int], ...]


def tell_raw(subject: str, seed: int, teller: Teller | None = None) -> RawStory:
    """A story about one kind of subject."""
    random, teller = Random(seed), teller or TELLERS[subject]
    segments, now = [], TEN
    for _ in range(random.randrange(2, 7)):
        now += random.choice(teller.steps)
        happened = []
        for _ in range(random.randrange(15)):
            what, fields = teller.tell(random)
            at = now - random.choice((0, 0, 0, MINUTE, 20 * MINUTE, 3 * HOUR)) - random.randrange(5 * MINUTE)
            happened.append(Happened(at, what, fields))
        segments.append((tuple(happened), now - random.choice((0, MINUTE))))
    return RawStory(subject, (*segments, ((), now + random.choice((0, HOUR, 3 * HOUR)))))


def cut_raw(story: RawStory, seed: int, *, repeats: bool = False) -> list[Record]:
    """A log of the story, each source in its order; with `repeats` some frames are sent twice, as after a restart."""
    random, maker, log = Random(seed), FrameMaker(), Log(story.subject)
    log.put(mark(TEN - 1, policy=policy(1, **TELLERS[story.subject].figures), read={}))
    offsets: dict[str, int] = {}
    sent: list[SubjectFrame] = []
    for happened, until in story.segments:
        waiting: dict[str, list[Placed]] = {}
        for each in happened:
            topic = TOPIC_OF[each.what]
            offset = offsets[topic] = offsets.get(topic, -1) + 1
            common = {"event_id": f"{topic}-{offset}", "type": each.what}
            occurred_at = from_ms(each.at_ms).isoformat()
            event = {**common, "occurred_at": occurred_at, **each.fields}
            waiting.setdefault(topic, []).append((topic, 0, offset, event))
        while any(waiting.values()):
            poll: list[Placed] = []
            for topic in sorted(waiting):
                number = random.randrange(len(waiting[topic]) + 1)
                poll, waiting[topic] = poll + waiting[topic][:number], waiting[topic][number:]
            frames = [frame for subject, _, frame in maker.poll(poll) if subject == story.subject]
            if repeats and sent and random.random() < 0.5:
                frames.insert(0, sent[-1])
            sent += frames
            for frame in frames:
                log.put(frame)
        log.put(mark(until))
    return log.records


def _product(random: Random) -> Raw:
    product, channel = random.choice(("p-1", "p-2")), random.choice(("douyin", "weibo"))
    where = {"channel_id": channel, "product_id": product}
    match random.choice(("search", "search", "conversion", "impression")):
        case "search":
            return "search", {**where, "count": random.randrange(1, 30)}
        case "conversion":
            return "conversion", {**where, "stage": "purchase"}
        case _:
            return "impression", {**where, "count": 1}


def _mention(random: Random) -> Raw:
    sentiment = random.choice(("negative", "negative", "neutral", "positive"))
    product = random.choice((None, "p-1"))
    return "mention", {
        "sentiment": sentiment,
        "source": random.choice(("weibo", "zhihu")),
        "product_id": product,
        "text": random.choice((None, "骗人", "退钱，要投诉", "还行")),
    }


def _reading(random: Random) -> Raw:
    match random.choice(("rate", "rate", "rate", "gdp_growth", "policy_change")):
        case "rate":
            month, percent = random.randrange(1, 5), random.choice((3.0, 3.1, 3.5, 3.51, 3.6))
            return "rate", {"series": "lpr_1y", "month": f"2026-0{month}", "percent": percent}
        case "gdp_growth":
            return "gdp_growth", {"quarter": f"2026-Q{random.randrange(1, 4)}", "percent": random.choice((4.9, 5.0))}
        case _:
            return "policy_change", {"title": random.choice(("one", "another"))}


def _complaint(random: Random) -> Raw:
    what = random.choice(("complaint_opened", "complaint_opened", "complaint_answered", "complaint_closed"))
    fields = {"complaint_id": f"c-{random.randrange(12)}"}
    if what == "complaint_opened":
        fields |= {"channel_id": random.choice(("douyin", "weibo")), "entry": "hotline"}
        fields |= random.choice(({}, {"segment": "high_net_worth"}))
    return what, fields


def _actor(random: Random) -> Raw:
    where = {"channel_id": random.choice(("douyin", "weibo")), "ip": random.choice(("1.1.1.1", "2.2.2.2"))}
    where |= random.choice(({}, {"account_id": "a"}, {"account_id": "b"}))
    if random.random() < 0.5:
        return "click", {**where, "count": random.choice((1, 1, 3))}
    entry = random.choice(("one_click", "one_click", "one_click", "hotline"))
    return "complaint_opened", {**where, "complaint_id": f"c-{random.randrange(8)}", "entry": entry}


_BODIES = ("投资有风险，历史业绩不代表未来表现。", "稳赚不赔！投资有风险，历史业绩不代表未来表现。", "稳健理财。")


def _content(random: Random) -> Raw:
    where = {"channel_id": random.choice(("douyin", "weibo")), "content_id": random.choice(("c-1", "c-2"))}
    if random.random() < 0.2:
        return "content_removed", where
    body = random.choice(_BODIES)
    reviewed = random.choice((None, None, None, fingerprint(body), fingerprint(_BODIES[0])))
    reviewers = random.choice((["wang", "li"], ["wang", "li"], ["wang"]))
    return "content_published", {**where, "body": body, "reviewers": reviewers, "reviewed_fingerprint": reviewed}


TELLERS: dict[str, Teller] = {
    "content": Teller((MINUTE, 20 * MINUTE, HOUR, 13 * HOUR), _content, {}),
    "product": Teller(
        (MINUTE, 20 * MINUTE, HOUR, 13 * HOUR),
        _product,
        {"search_divergence": {"thresholds": {"min_searches": 5, "growth": 1.1, "fall": 0.1, "confidence": 0}}},
    ),
    "brand": Teller(
        (MINUTE, 20 * MINUTE, HOUR, 13 * HOUR),
        _mention,
        {"negative_sentiment": {"thresholds": {"mentions": 6, "share": 0.6, "min_mentions": 5}}},
    ),
    "market": Teller((MINUTE, HOUR, 13 * HOUR), _reading, {}),
    "complaint": Teller(
        (MINUTE, 20 * MINUTE, HOUR, 13 * HOUR),
        _complaint,
        {
            "complaint_sla": {
                "clear": {"hold": "5m"},
                "thresholds": {
                    "hours": 3,
                    "high_net_worth_hours": 0.25,
                    "basis": "working",
                },
                "overrides": {
                    "complaint:c-1": {"thresholds": {"hours": 9}},
                    "complaint:c-2": {"thresholds": {"hours": 0.5}},
                },
            }
        },
    ),
    "actor": Teller(
        (SECOND, 30 * SECOND, 3 * MINUTE, 15 * MINUTE),
        _actor,
        {
            "click_fraud": {
                "clear": {"hold": "30s"},
                "thresholds": {"clicks": 4, "account_clicks": 2},
            },
            "complaint_flood": {
                "clear": {"hold": "30s"},
                "thresholds": {"complaints": 3, "account_complaints": 2},
            },
        },
    ),
}
