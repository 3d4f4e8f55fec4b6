"""From events through routing, the rules and the merge of alerting to incidents: a scare, and a botnet beside it."""

from collections.abc import Iterator
from typing import Any

from schemas.alerts import AlertState
from schemas.directory import Directory
from services.alerting.merge import Merged, merge, state
from services.incidents.grouping import group, seen
from services.incidents.incident import Incident, incident_of
from tests.unit.incidents.samples import NOON
from tests.unit.indicators.world import MINUTE, SECOND, World


def alerts_of(world: World) -> Iterator[AlertState]:
    """The alerts that the facts of a world make."""
    merged: dict[str, Merged] = {}
    for fact in world.facts:
        after = merge(merged.get(fact.alert_id, Merged()), fact)
        assert after is not None
        merged[fact.alert_id] = after
    for alert_id, words in merged.items():
        alert = state(alert_id, words)
        assert alert is not None
        yield alert


def complain(world: World, channel: str, product: str, at: int) -> None:
    """Twenty complaints of twenty people, four in five about one product."""
    said = {"channel_id": channel, "entry": "hotline"}
    events = [
        (
            "complaint_opened",
            at + n * SECOND,
            {**said, "complaint_id": f"{channel}-{n}", "account_id": f"{channel}-{n}"},
        )
        for n in range(20)
    ]
    about = [product if n % 5 else f"{channel}-own" for n in range(20)]
    world.raw_events(
        [(what, when, {**each, "product_id": name}) for (what, when, each), name in zip(events, about, strict=True)]
    )


def incidents(*worlds: World) -> list[Incident]:
    """What grouping makes of all their alerts."""
    known = {alert.alert_id: alert for world in worlds for alert in alerts_of(world)}
    found = group(map(seen, known.values())).groups.values()
    told = [incident_of(each, known.get, Directory(), NOON) for each in found]
    return [each for each in told if each is not None]


def test_a_scare_on_three_channels_and_a_botnet_on_two_of_them_are_two_incidents() -> None:
    channels, content, actors = World("channel"), World("content"), World("actor")
    post: dict[str, Any] = {
        "content_id": "p-1",
        "body": "保本保收益，稳赚不赔",
        "product_id": "fund-a",
        "reviewers": [],
    }
    content.raw("content_published", 0, channel_id="weibo", **post)
    for n, name in enumerate(("weibo", "app", "douyin")):
        complain(channels, name, "fund-a", (n + 1) * 10 * MINUTE)
    for n, name in enumerate(("app", "douyin")):
        clicks = {"ip": f"198.18.0.{n}", "channel": name, "account": "the-clicker"}
        actors.clicks(120, 15 * MINUTE + n * 5 * MINUTE, within=50 * SECOND, **clicks)
    scare, botnet = incidents(channels, content, actors)
    assert (scare.cause.thing, len(scare.alerts)) == ("product:fund-a", 4)
    assert set(scare.indicators) == {"content_violation", "complaint_volume"}
    assert scare.cause.speaks[0].en == "4 of 4 alerts speak of product fund-a."
    assert (botnet.indicators, len(botnet.alerts)) == (["click_fraud"], 2)
