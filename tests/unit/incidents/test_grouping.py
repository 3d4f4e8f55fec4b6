"""Which alerts become one incident, whatever the order in which they come, and what people's words do to that."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas.alerts import INCIDENT_LABEL, AlertState
from schemas.directory import Directory
from services.incidents.book import Book
from services.incidents.grouping import Grouped, group, seen
from services.incidents.incident import CLOSED_AFTER, incident_of
from services.incidents.regrouping import MOST, Parts, RegroupingError, merged, parted
from services.runtime.ids import derive
from tests.quality.alerts import Bank
from tests.quality.together import loner, measure, pairs
from tests.unit.incidents.samples import NOON, alert

FUND: dict[str, Any] = {"products": {"fund-a": 18, "fund-b": 2}}
MODEST = settings(deadline=None, max_examples=30)


def keys(*alerts: AlertState) -> list[str]:
    """The incident of each, by the name of the alert by which it is called."""
    names = {each.alert_id: each.subject.partition(":")[2] for each in alerts}
    grouping = group(map(seen, alerts))
    return [names[grouping.key_of[each.alert_id]] for each in alerts]


def test_complaints_about_one_product_on_three_channels_are_one_incident() -> None:
    assert keys(*(alert(name, n * 20, detail=FUND) for n, name in enumerate("abc"))) == ["a", "a", "a"]


def test_alerts_that_share_nothing_or_lie_far_apart_are_two() -> None:
    assert keys(alert("a"), alert("b")) == ["a", "b"]
    assert keys(alert("a", detail=FUND), alert("b", 13 * 60, detail=FUND)) == ["a", "b"]


def test_a_channel_alone_says_little_unless_one_trouble_can_be_behind_the_other() -> None:
    clicks = alert("a", indicator="click_fraud", subject="actor:p", detail={"trace": {"channels": {"x": 100}}})
    assert keys(clicks, alert("x", 60, "conversion_drop")) == ["p", "p"]
    assert keys(clicks, alert("x", 60, "complaint_volume")) == ["p", "x"]


def test_what_every_incident_of_the_week_speaks_of_brings_nothing_together() -> None:
    talk: dict[str, Any] = {"products": {"fund-a": 5, "fund-b": 5, "fund-c": 5}}
    two = alert("a", detail=talk), alert("b", 60, detail=FUND | {"products": {"fund-a": 5, "fund-z": 10}})
    week = [
        alert(f"w{n}", -(n + 1) * 13 * 60, subject=f"complaint:{n}", detail={"product": "fund-a"}) for n in range(12)
    ]
    assert keys(*two) == ["a", "a"]
    assert keys(*two, *week)[:2] == ["a", "b"]


def test_an_alert_that_is_like_two_incidents_unites_them() -> None:
    accounts = alert("a", detail={"accounts": ["x"]}), alert("b", 1, detail={"accounts": ["y"]})
    both = alert("c", 2, detail={"accounts": ["x", "y"]})
    assert keys(*accounts) == ["a", "b"]
    assert keys(*accounts, both) == ["a", "a", "a"]


def world(seed: int) -> list[AlertState]:
    """Alerts of a week and of some pairs after it, as the bank of tests/quality has them."""
    before, pair = pairs(seed, 6)[seed % 6]
    return [*before, *pair.halves[0], *pair.halves[1]]


def parts_of(grouping: Grouped) -> Parts:
    return {key: [each.alert_id for each in one.alerts] for key, one in grouping.groups.items()}


@MODEST
@given(seed=st.integers(0, 10_000), shuffle=st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing_and_a_replay_gives_the_same_ids(seed: int, shuffle: Random) -> None:
    """Alerts come in any order, some twice, first without their evidence; the book is asked in between."""
    alerts = world(seed)
    known: dict[str, AlertState] = {}
    book = Book(known.get)
    arrivals = [(each.model_copy(update={"evidence": None}), each) for each in alerts]
    steps = [step for pair in arrivals for step in pair]
    shuffle.shuffle(steps)
    for step in steps:
        if (last := known.get(step.alert_id)) is None or last.evidence is None:
            known[step.alert_id] = step
        book.put(step.alert_id)
        if shuffle.random() < 0.1:
            book.grouped()
    for each in alerts:
        known[each.alert_id] = each
        book.put(each.alert_id)
    found = {each.key: [one.alert_id for one in each.alerts] for each in book.grouped().newest_first()}
    assert found == parts_of(group(map(seen, alerts)))


def pinned(alerts: list[AlertState], parts: Parts) -> list[AlertState]:
    """As after an order: the labels that channel_control gives."""
    label = {alert_id: key for key, ids in parts.items() for alert_id in ids}
    return [
        each.model_copy(update={"labels": {**each.labels, INCIDENT_LABEL: label[each.alert_id]}})
        if each.alert_id in label
        else each
        for each in alerts
    ]


@MODEST
@given(seed=st.integers(0, 10_000), chance=st.randoms(use_true_random=False))
def test_merge_and_split_are_inverse_and_old_ids_lead_on(seed: int, chance: Random) -> None:
    alerts = world(seed)
    before = group(map(seen, alerts))
    into, other = chance.sample(sorted(before.groups), 2)
    once = pinned(alerts, merged(before.groups[into], [before.groups[other]]))
    together = group(map(seen, once))
    assert other not in together.groups
    assert together.key_of[other] == into, "the old id is that of an alert which is in the new incident"
    twice = pinned(once, parted(together.groups[into], [each.alert_id for each in before.groups[other].alerts]))
    assert parts_of(group(map(seen, twice))) == parts_of(before)


@MODEST
@given(seed=st.integers(0, 10_000), chance=st.randoms(use_true_random=False))
def test_split_and_merge_are_inverse(seed: int, chance: Random) -> None:
    alerts = world(seed)
    before = group(map(seen, alerts))
    large = max(before.groups.values(), key=lambda each: len(each.alerts))
    assume(len(large.alerts) > 1)
    away = [each.alert_id for each in chance.sample(large.alerts, chance.randint(1, len(large.alerts) - 1))]
    once = pinned(alerts, parted(large, away))
    apart = group(map(seen, once))
    assert apart.key_of[away[0]] != apart.key_of[next(e.alert_id for e in large.alerts if e.alert_id not in away)]
    others = {key: ids for key, ids in parts_of(before).items() if key != large.key}
    assert parts_of(apart).items() >= others.items(), "what an order does not name stays where it is"
    keep = apart.groups[large.key]
    (other,) = {apart.key_of[each.alert_id] for each in large.alerts} - {large.key}
    again = group(map(seen, pinned(once, merged(keep, [apart.groups[other]]))))
    assert parts_of(again) == parts_of(before)


def test_what_people_put_apart_no_later_alert_unites() -> None:
    a, b = alert("a", detail=FUND), alert("b", 5, detail=FUND)
    before = group(map(seen, (a, b)))
    apart = pinned([a, b], parted(before.groups[a.alert_id], [b.alert_id]))
    grouping = group(map(seen, [*apart, alert("c", 10, detail=FUND)]))
    assert len(grouping.groups) == 2
    assert grouping.key_of[derive("a")] != grouping.key_of[derive("b")]


def test_orders_that_mean_nothing_are_refused() -> None:
    a, b = alert("a", detail=FUND), alert("b", 5, detail=FUND)
    (one,) = group(map(seen, (a, b))).groups.values()
    for ids, problem in (
        ([derive("z")], "not in this incident"),
        ([], "without any"),
        ([a.alert_id, b.alert_id], "without any"),
    ):
        with pytest.raises(RegroupingError, match=problem):
            parted(one, ids)
    with pytest.raises(RegroupingError, match="no other"):
        merged(one, [one])
    many = group(map(seen, [alert(f"m{n}", n / 100, detail=FUND) for n in range(MOST)]))
    with pytest.raises(RegroupingError, match="more than"):
        merged(one, many.groups.values())


def test_an_incident_is_open_until_all_has_been_over_for_a_while() -> None:
    later = NOON + timedelta(hours=3)
    a = alert("a", detail=FUND, status="resolved", resolved_at=later)
    b = alert("b", 5, detail=FUND)
    resolved = b.model_copy(update={"status": "resolved", "resolved_at": later - timedelta(hours=1)})
    for second, now, status in (
        (b, later + timedelta(days=9), "open"),
        (resolved, later + CLOSED_AFTER - timedelta(seconds=1), "open"),
        (resolved, later + CLOSED_AFTER, "closed"),
    ):
        known = {each.alert_id: each for each in (a, second)}
        (one,) = group(map(seen, known.values())).groups.values()
        told = incident_of(one, known.get, Directory(), now)
        assert told is not None
        assert told.status == status
        assert told.alerts == [a.alert_id, b.alert_id]


def test_the_cause_is_what_is_shared_and_says_what_speaks_for_it() -> None:
    post = alert(
        "p", indicator="content_violation", subject="content:p", detail={"product": "fund-a", "fingerprint": "f" * 64}
    )
    known = {each.alert_id: each for each in (alert("b", 5, detail=FUND), post)}
    (one,) = group(map(seen, known.values())).groups.values()
    told = incident_of(one, known.get, Directory(), NOON)
    assert told is not None
    assert (told.cause.thing, told.cause.first) == ("product:fund-a", post.alert_id)
    assert told.cause.text.en == "product fund-a; it began with: p in trouble"
    assert told.cause.text.zh == "产品 fund-a；最早的告警：p 异常"
    assert [each.en for each in told.cause.speaks] == [
        "2 of 2 alerts speak of product fund-a.",
        "content_violation can bring about complaint_volume.",
        "All were opened within 5 min.",
    ]
    assert told.title.en == "p in trouble (and one more alert)"


def test_the_book_forgets_what_is_known_no_more() -> None:
    known = {each.alert_id: each for each in (alert("a", detail=FUND), alert("b", 5, detail=FUND))}
    book = Book(known.get)
    for alert_id in list(known):
        book.put(alert_id)
    assert [each.key for each in book.grouped().newest_first()] == [derive("a")]
    del known[derive("a")]
    book.put(derive("a"))
    assert [each.key for each in book.grouped().newest_first()] == [derive("b")]
    assert book.grouped().find(derive("a")) is None


def test_a_storm_is_grouped_in_bounded_time_and_stays_one() -> None:
    grouping = group(seen(alert(f"s{n}", n / 60, detail=FUND)) for n in range(3000))
    assert len(grouping.groups) == 1


def test_a_busy_week_does_not_grow_into_one_incident() -> None:
    """A hundred and fifty alerts a day on fourteen channels, each of its own cause: one thing leads to the next."""
    bank = Bank(Random(7))
    alerts = [loner(bank, NOON + bank.minutes(0, 7 * 24 * 60)) for _ in range(1050)]
    grouping = group(map(seen, alerts))
    assert max(len(each.alerts) for each in grouping.groups.values()) < 0.1 * len(alerts)


def test_precision_and_recall_on_seeds_not_looked_at_while_tuning() -> None:
    score = measure([3001, 3002, 3003])
    assert score.found + score.missed == score.mistaken + score.apart == 180
    assert score.precision >= 0.9
    assert score.recall >= 0.9


def test_what_changes_while_all_are_grouped_anew_is_not_forgotten() -> None:
    known = {each.alert_id: each for each in (alert("b", 5, detail=FUND), alert("a", detail=FUND))}
    book = Book(known.get)
    for alert_id in known:
        book.put(alert_id)
    work = book.to_renew()
    assert work is not None
    renewed = work()
    known[derive("c")] = alert("c", 9, detail=FUND)
    book.put(derive("c"))
    assert len(book.latest().key_of) < 3, "what is there can be seen meanwhile"
    book.adopt(renewed)
    assert set(book.latest().key_of) == {derive("a"), derive("b")}
    assert set(book.grouped().key_of) == set(known)
    assert book.to_renew() is None
