"""What alerts speak of: by what the rules really write, and by what an indicator of somebody's own may write."""

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from schemas.alerts import ActionTaken, AlertState
from schemas.base import to_ms
from services.incidents.grouping import seen
from services.incidents.things import things_of
from services.indicators.subjects.complaints import Complaint, Complaints
from services.indicators.windows.days import Span
from tests.unit.incidents.samples import NOON, alert
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World


def things_told(world: World, indicator: str) -> dict[str, float]:
    """Of the newest fact of an indicator that has evidence."""
    (*_, fact) = [each for each in world.facts if each.indicator == indicator and each.evidence is not None]
    words = {name: getattr(fact, name) for name in AlertState.model_fields if hasattr(fact, name)}
    return dict(things_of(AlertState(**words, resolved_at=None)))


def complain(world: World, products: Sequence[str | None]) -> None:
    world.raw_events(
        [
            (
                "complaint_opened",
                n * SECOND,
                {"channel_id": "app", "complaint_id": f"c-{n}", "entry": "hotline", "account_id": f"a-{n}"}
                | ({} if product is None else {"product_id": product}),
            )
            for n, product in enumerate(products)
        ]
    )


def test_complaints_of_a_channel_speak_of_its_products() -> None:
    world = World("channel")
    complain(world, ["fund-a"] * 15 + ["fund-b"] * 5 + [None] * 2)
    found = things_told(world, "complaint_volume")
    assert found["channel:app"] == 1
    assert (found["product:fund-a"], found["product:fund-b"]) == pytest.approx((0.75, 0.25), abs=0.05)


def test_products_outlive_a_restart_and_a_snapshot_of_an_older_release_is_read() -> None:
    complaint = Complaint(5, 0, 0, "c-1", None, None, False, product="fund-a")
    before, after = Complaints(), Complaints()
    before.add(complaint)
    after.load(before.record(0) or b"")
    assert list(after.within(Span(0, 10))) == [complaint]
    older = Complaints()
    older.load(msgspec.msgpack.encode([complaint[:-1]]))
    assert list(older.within(Span(0, 10))) == [complaint._replace(product=None)]


def test_clicks_of_an_address_speak_of_channels_links_and_accounts() -> None:
    world = World("actor")
    world.clicks(120, 0, within=50 * SECOND, account="clicker")
    found = things_told(world, "click_fraud")
    kinds = {thing.partition(":")[0] for thing in found}
    assert kinds == {"actor", "channel", "link", "account"}
    assert sum(share for thing, share in found.items() if thing.startswith("link:")) == pytest.approx(1)


def test_a_post_speaks_of_its_text_its_product_and_its_channels() -> None:
    world = World("content")
    post: dict[str, Any] = {
        "content_id": "p-1",
        "body": "保本保收益，稳赚不赔",
        "product_id": "fund-a",
        "reviewers": [],
    }
    world.raw("content_published", 0, channel_id="app", **post)
    world.raw("content_published", MINUTE, channel_id="weibo", **post)
    found = things_told(world, "content_violation")
    assert {"content:p-1", "product:fund-a", "channel:app"} <= set(found)
    assert any(thing.startswith("text:") for thing in found)


def test_mentions_speak_of_products_and_not_of_the_brand() -> None:
    world = World("brand")
    for n in range(120):
        world.raw("mention", n * SECOND, sentiment="negative", source="weibo", product_id="fund-a")
    found = things_told(world, "negative_sentiment")
    assert found == {"product:fund-a": 1, "source:weibo": 1}


def test_a_complaint_that_waits_speaks_of_its_channel_and_product() -> None:
    world = World("complaint")
    said = {"channel_id": "app", "complaint_id": "c-1", "entry": "hotline", "product_id": "fund-a"}
    world.raw("complaint_opened", 0, **said)
    world.mark(49 * HOUR)
    assert things_told(world, "complaint_sla") == {"complaint:c-1": 1, "channel:app": 1, "product:fund-a": 1}


def test_orders_of_the_own_indicator_count_and_those_of_people_do_not() -> None:
    orders = [
        ActionTaken(what="pause", target=target, state="ordered", by=by, at=NOON)
        for target, by in (
            ("promotion:fund-a@app", "indicator:search_divergence"),
            ("promotion:fund-a@weibo", "indicator:search_divergence"),
            ("channel:branch", "person:li"),
        )
    ]
    found = things_of(alert("x", indicator="search_divergence", subject="product:fund-a", actions=orders))
    assert found == {"product:fund-a": 1, "channel:app": 0.5, "channel:weibo": 0.5}


def test_names_in_labels_and_evidence_of_an_unknown_indicator_are_understood() -> None:
    detail = {"products": ["fund-a", "fund-b"], "found": {"link": "l-1"}, "odd": 3, "channels": None}
    found = things_of(alert("x", indicator="thirteenth", detail=detail, labels={"actor": "p", "team": "t"}))
    assert found == {
        "channel:x": 1,
        "product:fund-a": 0.5,
        "product:fund-b": 0.5,
        "link:l-1": 1,
        "actor:p": 1,
    }


def test_what_is_seen_of_an_alert_does_not_change_when_it_is_answered_or_resolved() -> None:
    before = alert("x", detail={"product": "fund-a"})
    taken = ActionTaken(what="pause", target="channel:x", state="confirmed", by="reconciler", at=NOON)
    after = before.model_copy(
        update={"status": "resolved", "resolved_at": NOON, "acknowledged_by": "li", "actions": [taken]}
    )
    assert seen(before) == seen(after)
    assert seen(before).at_ms == to_ms(NOON)
