"""How much automation may stop at once, over all partitions, and what is told of the rest."""

import json
from typing import Any

import pytest

from schemas.governor import Governor
from schemas.policy import Policy
from services.channel_control.holding.deadlines import overdue
from services.channel_control.machine import ControlMachine
from tests.unit.channel_control.cluster import Cluster
from tests.unit.channel_control.governing.asking import CHANNELS, LOOSE, MINUTE_MS, alerts, figures, lift, stop
from tests.unit.channel_control.orders import hex_id, persons, said


def test_a_bad_policy_that_trips_everything_stops_a_few_and_calls_people_with_one_alert() -> None:
    cluster = Cluster()
    moved: dict[str, Any] = {f"c{number}": (100 + number, 50.0 * number, number) for number in range(40)}
    cluster.give(figures(1, **moved))
    outputs = cluster.give(*(stop(number) for number in range(40)))
    stopped = [CHANNELS[0], *CHANNELS[36:]]  # the first comes alone; of the rest the most harmful
    assert cluster.paused(CHANNELS) == stopped
    waiting = [hold for name in CHANNELS if name not in stopped for hold in cluster.target(name).holds]
    assert {(hold.approval, hold.claim, hold.approvals_needed) for hold in waiting} == {("waiting", "declined", 2)}
    assert all("held back by the governor: it would stop 6 channels at once" in (hold.reason or "") for hold in waiting)
    told = alerts(outputs)
    assert len({fact["alert_id"] for fact in told}) == 1
    assert [fact["status"] for fact in told] == ["open"]
    assert (told[-1]["subject"], told[-1]["severity"], told[-1]["level"]) == ("service:channel_control", "critical", 6)
    assert "35 channels" in told[-1]["title"]["en"] and "35 个渠道" in told[-1]["title"]["zh"]
    first = told[-1]["summary"]["en"].index("Pause channel:35")
    assert first < told[-1]["summary"]["en"].index("Pause channel:34")
    assert (
        "waiting lets 135 clicks and 1,750 CNY an hour go on, stopping costs 35 new accounts"
        in told[-1]["summary"]["en"]
    )
    assert told[-1]["summary"]["en"].endswith("And 30 more.")


def test_what_is_granted_acts_is_audited_and_told_as_any_order() -> None:
    cluster = Cluster()
    outputs = cluster.give(stop(1))
    (hold,) = cluster.target(CHANNELS[1]).holds
    assert (hold.approval, hold.claim, hold.decide_by, hold.approvals_needed) == ("none", "granted", None, 1)
    audit = [(each["what"], each["outcome"], each["target"]) for each in said(outputs, "audit")]
    assert audit == [
        ("pause", "done", CHANNELS[1]),
        ("claim", "done", "governor:all"),
        ("granted", "done", CHANNELS[1]),
    ]
    states = [(each["status"], each["holds"][0]["claim"]) for each in said(outputs, "channel-state")]
    assert states == [("running", "asked"), ("paused", "granted")]
    assert [action["state"] for fact in said(outputs, "alerts") for action in fact["actions"]] == ["ordered"]


def test_an_alert_hears_that_its_stop_waits_and_of_what_people_decide() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    outputs = cluster.give(stop(1), stop(2))
    own = [fact for fact in said(outputs, "alerts") if fact["alert_id"] == hex_id(0xA02)]
    assert [action["state"] for fact in own for action in fact["actions"]] == ["ordered", "waiting"]


def test_lifting_a_hold_gives_its_share_back() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 2})
    cluster.give(stop(1), stop(2), stop(3))
    assert cluster.paused(CHANNELS) == CHANNELS[1:3]
    cluster.give(lift(cluster, 1, CHANNELS[1]), stop(4))
    assert cluster.paused(CHANNELS) == [CHANNELS[2], CHANNELS[4]]
    assert [each.claim.target for each in cluster.governor.waiting] == [CHANNELS[3]], "that one waits for people"


def test_the_hour_counts_what_was_given_back_and_ends() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_per_hour": 2, "channels_at_once": 2})
    for number in (1, 2):
        cluster.give(stop(number))
        cluster.give(lift(cluster, number, CHANNELS[number]))
    cluster.give(stop(3))
    (hold,) = cluster.target(CHANNELS[3]).holds
    assert "3 channels within an hour, the policy allows 2" in (hold.reason or "")
    cluster.now_ms += 61 * MINUTE_MS
    cluster.give(stop(4))
    assert cluster.paused(CHANNELS) == [CHANNELS[4]]


@pytest.mark.parametrize(
    ("limit", "said_"), [("at_once", "of the hour's clicks at once"), ("per_hour", "within an hour")]
)
def test_the_share_of_traffic_binds_where_figures_are_known(limit: str, said_: str) -> None:
    shares = {"traffic_share_at_once": 1.0, "traffic_share_per_hour": 1.0} | {f"traffic_share_{limit}": 0.5}
    cluster = Cluster(governor={"always": 0, **shares})
    cluster.give(figures(1, c1=300, c2=400), figures(2, 1, c3=300))
    cluster.give(stop(1), stop(2), stop(3, "throttle", factor=0.5))
    assert cluster.paused(CHANNELS) == [CHANNELS[1]]
    assert cluster.target(CHANNELS[3]).wanted().factor == 0.5, "a half of 300 fits in"
    (hold,) = cluster.target(CHANNELS[2]).holds
    assert "70%" in (hold.reason or "") and said_ in (hold.reason or "")


def test_a_stopped_channel_keeps_the_share_that_it_had() -> None:
    cluster = Cluster(governor=LOOSE | {"traffic_share_at_once": 0.5})
    cluster.give(figures(1, c1=500, c2=400, c3=100), stop(1))
    cluster.give(figures(2, c2=400, c3=100), stop(2))
    assert cluster.paused(CHANNELS) == [CHANNELS[1]]


def test_figures_of_a_writer_that_is_away_are_forgotten() -> None:
    cluster = Cluster(governor=LOOSE | {"traffic_share_at_once": 0.5})
    cluster.give(figures(1, c1=900, c2=100))
    cluster.now_ms += 121 * MINUTE_MS
    cluster.give(figures(2, 1, c3=1), stop(1))
    assert cluster.paused(CHANNELS) == [CHANNELS[1]]


def test_without_figures_only_the_counts_bind_and_a_few_are_never_too_many() -> None:
    cluster = Cluster(governor={"channels_at_once": 5, "traffic_share_at_once": 0.01})
    cluster.give(*(stop(number) for number in range(6)))
    assert cluster.paused(CHANNELS) == CHANNELS[:5]
    cluster = Cluster(governor={"traffic_share_at_once": 0.01, "always": 2})
    cluster.give(figures(1, c0=10, c1=10, c2=10), *(stop(number) for number in range(3)))
    assert cluster.paused(CHANNELS) == CHANNELS[:2]


def test_a_second_stop_of_the_same_channel_takes_nothing_more() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    cluster.give(stop(1), stop(41, by="cac_spike"))
    assert [hold.claim for hold in cluster.target(CHANNELS[1]).holds] == ["granted", "granted"]
    cluster.give(stop(1, command_id=hex_id(77), level=2))
    assert [hold.level for hold in cluster.target(CHANNELS[1]).holds] == [2, 1]


def test_people_who_approve_beyond_the_limit_are_heard_and_it_counts() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    outputs = cluster.give(stop(1), stop(2))
    (opened,) = alerts(outputs)
    target = cluster.target(CHANNELS[2])
    yes = {"target": CHANNELS[2], "hold_ids": [target.holds[0].hold_id]}
    for number, person in enumerate(("li", "wu")):
        fields = yes | {"expected_generation": cluster.target(CHANNELS[2]).generation, "issued_by": f"person:{person}"}
        outputs = cluster.give(persons(10 + number, "approve", **fields))
        if not cluster.governor.waiting:
            break
    assert cluster.paused(CHANNELS) == CHANNELS[1:3]
    assert [(fact["alert_id"], fact["status"]) for fact in alerts(outputs)] == [(opened["alert_id"], "resolved")]
    assert len(cluster.governor.granted) == 2


@pytest.mark.parametrize("ending", ["reject", "expired", "resume"])
def test_what_people_do_not_want_waits_no_more_and_the_alert_is_over(ending: str) -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    cluster.give(stop(1), stop(2))
    target = cluster.target(CHANNELS[2])
    about = {"target": CHANNELS[2], "expected_generation": target.generation, "hold_ids": [target.holds[0].hold_id]}
    if ending == "expired":
        cluster.now_ms += 300 * MINUTE_MS
        (report,), _ = overdue([target], target.holds[0].decide_by or target.holds[0].since)
        outputs = cluster.give(json.loads(report.model_dump_json()))
    else:
        outputs = cluster.give(persons(10, ending, **about))
    assert cluster.governor.waiting == [] and cluster.governor.alert_id is None
    (fact,) = alerts(outputs)
    assert (fact["status"], fact["summary"]["en"]) == (
        "resolved",
        "Nothing waits beyond the governor's limits any more.",
    )


def test_a_next_storm_is_another_alert() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    cluster.give(stop(1), stop(2))
    cluster.give(lift(cluster, 10, CHANNELS[2]), stop(3))
    opened = [fact["alert_id"] for fact in alerts(cluster.told) if fact["status"] == "open"]
    assert len(set(opened)) == 2


def test_a_claim_that_has_to_ask_again_is_granted_when_there_is_room() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    cluster.give(stop(1), stop(2))
    cluster.give(lift(cluster, 10, CHANNELS[1]), stop(2, command_id=hex_id(88), level=2))
    assert cluster.paused(CHANNELS) == [CHANNELS[2]]
    assert cluster.governor.waiting == []


def test_the_policy_says_how_many_people_it_takes_to_go_beyond() -> None:
    for rule, needed in (({"orders": []}, 1), ({"orders": ["governor"], "approvals": 3}, 3)):
        cluster = Cluster(governor=LOOSE | {"channels_at_once": 1}, four_eyes=rule)
        cluster.give(stop(1), stop(2))
        assert cluster.target(CHANNELS[2]).holds[0].approvals_needed == needed


def test_people_stop_what_they_want_and_products_and_addresses_are_not_counted() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    cluster.give(stop(1), *(persons(20 + n, "pause", target=CHANNELS[n], note="because") for n in range(2, 6)))
    cluster.give(stop(7, "freeze", target="actor:00ff"), stop(8, "throttle", target="product:x", factor=0.5))
    assert cluster.paused(CHANNELS) == CHANNELS[1:6]
    assert cluster.target("actor:00ff").wanted().status == "frozen"
    assert cluster.target("product:x").wanted().status == "throttled"
    assert len(cluster.governor.granted) == 1


def test_a_governor_that_is_switched_off_is_not_asked() -> None:
    cluster = Cluster(governor={"enabled": False})
    outputs = cluster.give(*(stop(number) for number in range(40)))
    assert cluster.paused(CHANNELS) == CHANNELS
    assert {each["what"] for each in said(outputs, "audit")} == {"pause"}


def test_what_is_granted_after_automation_was_switched_off_asks_a_person() -> None:
    cluster = Cluster()
    off = json.dumps(persons(50, "automation_off", target="automation:all", note="on purpose")).encode()
    cluster.between = lambda: cluster.everywhere(b"automation", off)
    cluster.give(stop(1))
    (hold,) = cluster.target(CHANNELS[1]).holds
    assert (hold.approval, hold.approvals_needed) == ("waiting", 1)
    assert "since automation is off, by person:li" in (hold.reason or "")


def test_a_guardrail_ends_a_ramp_when_it_is_granted_and_not_before() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    cluster.give(
        stop(1),
        persons(30, "eased", target=CHANNELS[1], alert_id=hex_id(0xA01), issued_by="indicator:search_divergence"),
    )
    cluster.give(stop(41, by="complaint_volume"))
    ramp = cluster.target(CHANNELS[1]).holds[0].ramp
    assert ramp is not None and ramp.state == "person"


@pytest.mark.parametrize(
    "fields",
    [{"issued_by": "person:li"}, {"command": "pause", "note": "x", "issued_by": "person:li"}, {"figures": None}],
)
def test_only_the_services_speak_to_the_governor(fields: dict[str, Any]) -> None:
    cluster = Cluster()
    outputs = cluster.give(figures(1, c1=1) | fields)
    assert [audit["outcome"] for audit in said(outputs, "audit")] == ["refused"]
    assert cluster.governor.told == {}


def test_nobody_else_grants_and_an_answer_to_what_is_gone_changes_nothing() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 1})
    cluster.give(stop(1), stop(2))
    hold = cluster.target(CHANNELS[2]).holds[0].hold_id
    grant = persons(40, "granted", target=CHANNELS[2], hold_ids=[hold])
    assert [each["outcome"] for each in said(cluster.give(grant), "audit")] == ["refused"]
    late = persons(41, "granted", target=CHANNELS[1], issued_by="governor", hold_ids=[hex_id(0xFFF)])
    assert [each["outcome"] for each in said(cluster.give(late), "audit")] == ["recorded"]


def test_the_governor_lives_on_in_a_snapshot_and_a_replay_says_the_same() -> None:
    cluster = Cluster(governor=LOOSE | {"channels_at_once": 2})
    cluster.give(figures(1, c1=5, c2=7), *(stop(number) for number in range(6)), lift(cluster, 9, CHANNELS[0]))
    for number, machine in enumerate(cluster.machines):
        again = ControlMachine(number, len(cluster.machines))
        assert [again.apply(record) for record in cluster.logs[number]] == cluster.said[number]
        fresh = ControlMachine(number, len(cluster.machines))
        fresh.load([(key, value) for key, value in machine.changed() if value is not None])
        assert fresh.governor == machine.governor


@pytest.mark.parametrize(
    "says", [{"channels_at_once": 0}, {"traffic_share_at_once": 0.0}, {"always": -1}, {"nonsense": 1}]
)
def test_a_policy_that_the_governor_cannot_mean_is_refused(says: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="governor"):
        Policy.model_validate({"version": 1, "governor": says})
    assert Governor() == Policy(version=1).governor
