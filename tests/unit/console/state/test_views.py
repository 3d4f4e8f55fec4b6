"""The views hold what was read last, in order, and no more than they may."""

from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from services.console.state.views import Alerts, Audit, Channels
from services.runtime.ids import derive
from tests.unit.console.samples import alert, audit, channel

START_MS = -1


def raw(message: BaseModel) -> bytes:
    return message.model_dump_json(by_alias=True).encode()


def anything(_: object) -> bool:
    return True


def test_the_last_value_of_a_target_counts_and_none_removes_it() -> None:
    view = Channels()
    view.fold(b"channel:a", raw(channel("channel:a", 1)))
    view.fold(b"channel:a", raw(channel("channel:a", 2)))
    found = view.get("channel:a")
    assert found is not None
    assert found.generation == 2
    view.fold(b"channel:a", None)
    view.fold(b"channel:a", None)
    assert view.get("channel:a") is None


def test_a_state_never_goes_back_to_an_older_generation() -> None:
    """After a death channel_control writes once more what it wrote since its last snapshot."""
    view = Channels()
    for generation in (1, 2, 3, 1, 2):
        view.fold(b"channel:a", raw(channel("channel:a", generation)))
    view.fold(b"channel:b", raw(channel("channel:b", 1)))
    assert {state.target: state.generation for state in view.values()} == {"channel:a": 3, "channel:b": 1}
    confirmed = channel("channel:a", 3).model_copy(update={"status": "paused"})
    view.fold(b"channel:a", raw(confirmed))
    assert view.get("channel:a") == confirmed
    view.fold(b"channel:a", None)
    view.fold(b"channel:a", raw(channel("channel:a", 1)))
    assert view.get("channel:a") == channel("channel:a", 1)


def test_a_repeated_state_of_the_same_generation_does_not_take_it_back() -> None:
    """Wanted, failed, confirmed are three states of one generation; each death in between repeats some."""
    view = Channels()
    wanted, refused, done = (channel("channel:a", 3, seq=seq) for seq in (7, 8, 9))
    for state, shown in ((wanted, wanted), (refused, refused), (wanted, refused), (done, done), (refused, done)):
        view.fold(b"channel:a", raw(state))
        assert view.get("channel:a") == shown


def test_a_repeated_alert_does_not_open_it_again() -> None:
    view = Alerts(capacity=1)
    states = [alert("a", seq=4), alert("a", "resolved", seq=9)]
    for state in (*states, states[0]):
        view.fold(state.alert_id.encode(), raw(state))
    assert view.get(derive("a")) == states[1]
    reopened = alert("a", seq=12)
    view.fold(reopened.alert_id.encode(), raw(reopened))
    assert view.get(derive("a")) == reopened


def test_pages_of_a_kind_go_through_all_of_it_once() -> None:
    view = Channels()
    names = ["channel:c", "channel:a", "channel:b", "promotion:p@a", "channel:产品"]
    for name in names:
        view.fold(name.encode(), raw(channel(name)))
    seen: list[str] = []
    after = ""
    while page := view.of_kind("channel", after, 2):
        seen += [state.target for state in page]
        after = seen[-1]
    assert seen == ["channel:a", "channel:b", "channel:c", "channel:产品"]


@pytest.mark.parametrize("value", [b"", b"{}", b"\xff", b"[]"])
def test_what_is_not_understood_changes_nothing(value: bytes) -> None:
    view = Channels()
    view.fold(b"channel:a", raw(channel("channel:a")))
    with pytest.raises(ValueError, match=r"."):
        view.fold(b"channel:a", value)
    assert view.get("channel:a") is not None


def test_open_alerts_are_all_kept_and_of_resolved_ones_the_newest() -> None:
    view = Alerts(capacity=2)
    for number in range(5):
        view.fold(derive(str(number)).encode(), raw(alert(str(number), minutes=number)))
    for number in (0, 1, 3):
        view.fold(derive(str(number)).encode(), raw(alert(str(number), "resolved", minutes=number)))
    assert view.get(derive("0")) is None
    assert [state.alert_id for state in view.newest(anything, 10)] == [derive(name) for name in "4321"]
    assert [state.alert_id for state in view.newest(lambda state: state.status == "open", 1)] == [derive("4")]


def test_an_alert_that_opens_again_is_not_forgotten_as_resolved() -> None:
    view = Alerts(capacity=1)
    for name, status in (("a", "resolved"), ("a", "open"), ("b", "resolved"), ("c", "resolved")):
        view.fold(derive(name).encode(), raw(alert(name, status)))  # type: ignore[arg-type]
    assert {state.alert_id for state in view.newest(anything, 10)} == {derive("a"), derive("c")}


def test_an_alert_that_is_long_over_is_gone_with_its_tombstone() -> None:
    view = Alerts(capacity=2)
    for name in "ab":
        view.fold(derive(name).encode(), raw(alert(name, "resolved")))
    for name in "ax":  # of x nothing was ever known
        view.fold(derive(name).encode(), None)
    assert [state.alert_id for state in view.newest(anything, 10)] == [derive("b")]
    for name in "cd":
        view.fold(derive(name).encode(), raw(alert(name, "resolved", minutes=1)))
    assert {state.alert_id for state in view.newest(anything, 10)} == {derive("c"), derive("d")}


def test_an_order_repeated_keeps_its_first_outcome() -> None:
    view = Audit(10, START_MS)
    view.fold((1, 0, 0), raw(audit("order", outcome="refused", why="stale")))
    view.fold((2, 0, 1), raw(audit("order", outcome="repeated")))
    found = view.outcome_of(derive("order"))
    assert found is not None
    assert found.outcome == "refused"
    assert len(view.newest(anything, 10)) == 2


def test_reading_again_from_the_beginning_changes_nothing() -> None:
    view = Audit(10, START_MS)
    for _ in range(2):
        for offset in range(3):
            view.fold((offset, 0, offset), raw(audit(str(offset))))
    assert [record.command_id for record in view.newest(anything, 10)] == [derive(name) for name in "210"]


Log = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), st.booleans()), max_size=80)


@given(Log, st.integers(1, 20))
def test_the_newest_records_are_there_in_order_and_memory_is_bounded(
    log: list[tuple[int, int, bool]], capacity: int
) -> None:
    """`log`: a partition, how much time passed, whether the record belongs to an order."""
    view, places = Audit(capacity, START_MS), list[tuple[int, int, int]]()
    times, offsets = dict.fromkeys(range(4), 0), dict.fromkeys(range(4), 0)
    for partition, passed, ordered in log:
        times[partition] += passed
        place = (times[partition], partition, offsets[partition])
        offsets[partition] += 1
        places.append(place)
        view.fold(place, raw(audit(str(place), command_id=derive(str(place)) if ordered else None)))
    kept = view.newest(anything, 1000)
    assert len(kept) <= capacity + capacity // 4
    newest = [derive("audit", str(place)) for place in sorted(places, reverse=True)]
    if len(log) <= capacity:
        assert [record.audit_id for record in kept] == newest
    ids = {record.audit_id for record in kept}
    assert all(derive("audit", str(place)) in ids for place in places if place[0] > view.since_ms)
    assert (view.since_ms == START_MS) is (len(kept) == len(log))
    known = {record.command_id: record for record in kept if record.command_id}
    for place in places:
        assert view.outcome_of(derive(str(place))) == known.get(derive(str(place)))


def test_the_audit_is_filtered_before_it_is_cut() -> None:
    view = Audit(100, START_MS)
    for offset in range(10):
        target = "channel:a" if offset % 2 else "channel:b"
        view.fold((offset, 0, offset), raw(audit(str(offset), target=target)))

    def wanted(record: AuditRecord) -> bool:
        return record.target == "channel:a"

    assert [record.command_id for record in view.newest(wanted, 2)] == [derive("9"), derive("7")]


@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["open", "resolved", "gone"]), st.integers(0, 2))))
def test_what_is_open_is_found_by_its_subject(told: list[tuple[int, Literal["open", "resolved", "gone"], int]]) -> None:
    view = Alerts(capacity=3)
    for seq, (number, status, subject) in enumerate(told):
        key = derive(str(number)).encode()
        if status == "gone":
            view.fold(key, None)
        else:
            view.fold(key, raw(alert(str(number), status, subject=f"channel:{subject}", seq=seq)))
    expected: dict[str, dict[str, AlertState]] = {}
    for each in view.values():
        if each.status != "resolved":
            expected.setdefault(each.subject, {})[each.alert_id] = each
    assert view.open_by_subject() == expected
