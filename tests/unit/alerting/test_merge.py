"""Facts become one alert, whatever their order."""

from hypothesis import given
from hypothesis import strategies as st

from schemas.alerts import ActionTaken, AlertFact, AlertState, AlertWords
from schemas.base import from_ms
from services.alerting.merge import MAX_ACTIONS, Merged, merge, state
from tests.unit.alerting.facts import ALERTS, PATIENT, T0_MS, fact, interleaved, opening, writers_facts


def merged(facts: list[AlertFact]) -> Merged:
    whole = Merged()
    for one in facts:
        whole = merge(whole, one) or whole
    return whole


@PATIENT
@given(st.data())
def test_any_interleaving_that_keeps_each_writers_order_gives_the_same(data: st.DataObject) -> None:
    said = data.draw(writers_facts())
    assert merged(data.draw(interleaved(said))) == merged(data.draw(interleaved(said)))


@PATIENT
@given(st.data())
def test_repeats_change_nothing(data: st.DataObject) -> None:
    facts = data.draw(interleaved(data.draw(writers_facts())))
    whole = Merged()
    for index, one in enumerate(facts):
        whole = merge(whole, one) or whole
        for earlier in facts[: index + 1]:
            assert merge(whole, earlier) is None


@PATIENT
@given(st.data())
def test_a_snapshot_of_it_is_exact(data: st.DataObject) -> None:
    whole = merged(data.draw(interleaved(data.draw(writers_facts()))))
    assert Merged.model_validate_json(whole.model_dump_json()) == whole


def test_what_a_fact_does_not_speak_of_stays() -> None:
    whole = merged([opening(team="on-call", value=20.0), fact(1, status="updated", value=40.0)])
    alert = state(ALERTS[0], whole)
    assert alert is not None
    assert (alert.status, alert.value, alert.team, alert.level) == ("updated", 40.0, "on-call", 1)


def test_an_action_that_comes_before_the_opening_is_kept_but_makes_no_alert() -> None:
    action = {"what": "pause", "target": "channel:douyin", "state": "done", "by": "control", "at": from_ms(T0_MS)}
    early = fact(7, "channel_control:0", actions=[action])
    assert state(ALERTS[0], merged([early])) is None
    alert = state(ALERTS[0], merged([early, opening()]))
    assert alert is not None
    assert [one.what for one in alert.actions] == ["pause"]


def test_a_writers_later_word_wins_though_its_clock_went_back() -> None:
    whole = merged([opening(at_ms=T0_MS), fact(1, status="resolved", at_ms=T0_MS - 60_000)])
    alert = state(ALERTS[0], whole)
    assert alert is not None
    assert alert.status == "resolved"
    assert alert.resolved_at == from_ms(T0_MS)


def test_labels_of_several_writers_stand_side_by_side() -> None:
    whole = merged(
        [opening(labels={"a": "1", "b": "1"}), fact(0, "other", labels={"b": "2", "c": "2"}, at_ms=T0_MS + 1)]
    )
    assert whole.words.labels == {"a": "1", "b": "2", "c": "2"}


def test_actions_of_one_moment_stand_in_the_order_of_their_steps_and_the_oldest_go() -> None:
    def action(state: str, second: int) -> dict[str, object]:
        at = from_ms(T0_MS + second * 1000)
        return {"what": "pause", "target": "channel:douyin", "state": state, "by": "control", "at": at}

    whole = merged([fact(0, actions=[action("done", 1), action("ordered", 1), action("done", 1)])])
    assert [one.state for one in whole.words.actions] == ["ordered", "done"]
    many = merged([fact(seq, actions=[action("done", seq)]) for seq in range(MAX_ACTIONS + 5)])
    assert len(many.words.actions) == MAX_ACTIONS
    assert many.words.actions[0] == ActionTaken.model_validate(action("done", 5))


def test_every_word_of_a_fact_is_part_of_the_whole() -> None:
    assert set(AlertWords.model_fields) < set(AlertState.model_fields)
    assert AlertState.model_fields.keys() - AlertWords.model_fields.keys() == {"v", "alert_id", "seq", "resolved_at"}
