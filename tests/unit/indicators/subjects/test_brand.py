"""The brand: counted at once, its share at closes, and a report in which nobody is named."""

import json

from tests.unit.indicators.world import HOUR, MINUTE, World


def mentions(world: World, number: int, sentiment: str, at: float = 0, **fields: object) -> None:
    said = {"source": "weibo", "sentiment": sentiment, **fields}
    world.raw_events([("mention", at + n, said) for n in range(number)])


def test_each_doubling_calls_again_and_midnight_ends_it() -> None:
    world = World("brand")
    mentions(world, 100, "negative")
    assert world.facts == []
    mentions(world, 1, "negative", MINUTE)
    mentions(world, 100, "negative", 2 * MINUTE)
    assert world.ordered() == [("escalate", "brand:all", 1), ("escalate", "brand:all", 2)]
    world.mark(15 * HOUR)
    assert [fact.status for fact in world.facts] == ["open", "updated", "resolved"]


def test_a_share_is_judged_when_a_pane_closes_and_ends_when_it_has_fallen() -> None:
    world = World("brand")
    mentions(world, 20, "negative")
    mentions(world, 30, "neutral")
    assert world.facts == []
    world.mark(6 * MINUTE)
    assert (world.facts[0].value, world.facts[0].threshold, world.facts[0].level) == (0.4, 0.4, 1)
    mentions(world, 60, "positive", 10 * MINUTE)
    world.mark(20 * MINUTE)
    assert len(world.facts) == 1, "not yet for an hour"
    world.mark(2 * HOUR)
    assert [fact.status for fact in world.facts] == ["open", "resolved"]


def test_the_report_counts_by_source_product_and_hour_and_quotes_the_worst() -> None:
    world = World("brand")
    mentions(world, 60, "negative", text="不太好用")
    mentions(world, 30, "negative", HOUR, source="zhihu", product_id="wenli-1", text="骗人！退钱！电话 13800138000")
    mentions(world, 11, "negative", 2 * HOUR)
    (fact,) = world.facts
    assert fact.evidence is not None and fact.summary is not None
    report = fact.evidence.detail["report"]
    assert report["by_source"] == {"weibo": 71, "zhihu": 30}
    assert report["by_product"] == {"wenli-1": 30}
    assert report["by_hour"] == {"10:00": 60, "11:00": 30, "12:00": 11}
    assert report["quotes"][0] == {"source": "zhihu", "quote": "骗人！退钱！电话 ***"}
    assert "13800138000" not in json.dumps(fact.model_dump(mode="json"))
    assert "“骗人！退钱！电话 ***”" in fact.summary.zh


def test_a_sender_that_invents_sources_makes_no_pane_without_bound() -> None:
    world = World("brand")
    said = {"sentiment": "negative"}
    world.raw_events([("mention", n, {**said, "source": f"source-{n}"}) for n in range(700)])
    world.mark(6 * MINUTE)
    (record,) = [
        value for key, value in world.machine.changed() if key.startswith(b"m") and key != b"machine" and value
    ]
    assert len(record) < 40_000
    assert world.facts[-1].value == 700
