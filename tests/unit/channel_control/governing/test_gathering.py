"""Claims that come together, and promotions: the most harmful first, and a few of each."""

from typing import Any

from tests.unit.channel_control.cluster import Cluster
from tests.unit.channel_control.governing.asking import CHANNELS, LOOSE, MINUTE_MS, alerts, figures, lift, stop
from tests.unit.channel_control.orders import persons, said


def test_of_those_that_ask_at_once_what_protects_customers_goes_first_then_what_moves_the_most() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 4})
    cluster.give(figures(1, c1=1, c2=100, c3=300, c4=200, c5=5))
    by = {5: "complaint_volume"}
    outputs = cluster.give(*(stop(number, by=by.get(number, "search_divergence")) for number in range(1, 6)))
    assert cluster.paused(CHANNELS) == [CHANNELS[number] for number in (1, 3, 4, 5)]
    (said_,) = [each for each in said(outputs, "audit") if each["what"] == "gathered"]
    assert said_["why"] == "of 4 that came together 3 are granted, the most harmful first"
    assert said_["detail"] == {"granted": [CHANNELS[5], CHANNELS[3], CHANNELS[4]], "asked": 4}


def test_who_asks_alone_is_answered_at_once_and_the_others_within_a_moment() -> None:
    cluster = Cluster()
    cluster.give(stop(1))
    began = cluster.now_ms
    cluster.give(stop(2), stop(3))
    assert cluster.paused(CHANNELS) == CHANNELS[1:4]
    assert 25 <= cluster.now_ms - began < 60
    cluster.now_ms += MINUTE_MS
    outputs = cluster.give(stop(4))
    assert "gathered" not in [each["what"] for each in said(outputs, "audit")]


def test_a_clock_of_the_broker_that_is_set_back_holds_up_nobody_who_asked_before() -> None:
    cluster, hours = Cluster(), iter([60 * MINUTE_MS])
    cluster.give(stop(1))

    def set_back() -> None:
        assert sum(map(len, cluster.logs)) < 50, "the governor's word to itself goes round and round"
        if cluster.governor.gathered:
            cluster.now_ms -= next(hours, 0)

    cluster.between = set_back
    outputs = cluster.give(stop(2), stop(3))
    assert cluster.paused(CHANNELS) == CHANNELS[1:4]
    assert next(hours, 0) == 0
    assert "gathered" in [each["what"] for each in said(outputs, "audit")]


def test_what_is_lifted_while_it_is_gathered_is_granted_nothing() -> None:
    cluster = Cluster()
    cluster.give(stop(1))
    cluster.give(stop(2), stop(3), persons(9, "resume", target=CHANNELS[2], expected_generation=1))
    assert cluster.paused(CHANNELS) == [CHANNELS[1], CHANNELS[3]]
    assert not cluster.governor.gathered
    assert len(cluster.governor.granted) == 2


def promotion(number: int, product: str, channel: str) -> dict[str, Any]:
    return stop(number, target=f"promotion:{product}@{channel}")


def test_a_bad_policy_that_trips_every_product_stops_promotions_of_a_few_and_calls_people() -> None:
    cluster = Cluster()
    names = [(f"fund-{product}", f"c{channel}") for channel in range(4) for product in range(10)]
    outputs = cluster.give(*(promotion(at, *name) for at, name in enumerate(names)))
    paused = cluster.paused(f"promotion:{product}@{channel}" for product, channel in names)
    assert len(paused) == 12, "of three products, on each of the four channels"
    assert {name.partition("@")[0] for name in paused} == {f"promotion:fund-{number}" for number in range(3)}
    (hold,) = cluster.target("promotion:fund-9@c1").holds
    assert (hold.approval, hold.claim, hold.approvals_needed) == ("waiting", "declined", 2)
    assert "it would stop promotions of 4 products at once, the policy allows 3" in (hold.reason or "")
    told = alerts(outputs)
    assert len({fact["alert_id"] for fact in told}) == 1
    assert "stops of the promotion of 7 products wait for two people" in told[-1]["title"]["en"]
    assert "7 个产品推广的措施" in told[-1]["title"]["zh"]


def test_one_product_is_stopped_wherever_it_is_and_channels_have_limits_of_their_own() -> None:
    cluster = Cluster(governor={"products_at_once": 1, "channels_at_once": 1, "always": 0})
    everywhere = [promotion(number, "fund@7", f"c{number}") for number in range(12)]
    cluster.give(figures(1, c1=10), *everywhere, stop(20), stop(21))
    assert len(cluster.paused(f"promotion:fund@7@c{number}" for number in range(12))) == 12
    assert cluster.paused(CHANNELS) == [CHANNELS[20]]
    outputs = cluster.give(promotion(30, "other", "c1"))
    assert "1 channel and the promotion of 1 product wait" in alerts(outputs)[-1]["title"]["en"]


def test_the_hour_counts_products_that_were_let_go() -> None:
    cluster = Cluster(governor={"products_per_hour": 1})
    cluster.give(promotion(1, "a", "c1"))
    cluster.give(lift(cluster, 9, "promotion:a@c1"), promotion(2, "b", "c1"))
    (hold,) = cluster.target("promotion:b@c1").holds
    assert "promotions of 2 products within an hour, the policy allows 1" in (hold.reason or "")
