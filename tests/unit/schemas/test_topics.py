import pytest

from schemas import topics
from schemas.topics import DAY_MS, TOPICS


def test_the_topics_of_the_contracts_are_all_there_and_no_others() -> None:
    subjects = ["channel", "product", "actor", "complaint", "content", "brand", "market"]
    assert set(TOPICS) == {
        "channel-events",
        "complaint-events",
        "conversion-events",
        "mention-events",
        "market-events",
        *(f"frames.{subject}" for subject in subjects),
        *(f"state.indicators.{subject}" for subject in subjects),
        "state.channel_control",
        "state.alerting",
        "dead-letters",
        "policy",
        "channel-commands",
        "alerts",
        "alert-state",
        "channel-state",
        "readings",
        "audit",
    }
    assert all(name == topic.name for name, topic in TOPICS.items())


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("channel-events", 14),
        ("frames.actor", 7),
        ("dead-letters", 30),
        ("channel-commands", 30),
        ("alerts", 30),
        ("readings", 35),
    ],
)
def test_logs_are_kept_for_days(name: str, days: int) -> None:
    required = TOPICS[name].required()
    assert required["retention.ms"] == str(days * DAY_MS)
    assert required["cleanup.policy"] == "delete"
    assert TOPICS[name].tuning() == {}


@pytest.mark.parametrize(
    "name", ["policy", "alert-state", "channel-state", "state.indicators.actor", "state.channel_control"]
)
def test_states_are_compacted_in_small_segments(name: str) -> None:
    assert TOPICS[name].required()["cleanup.policy"] == "compact"
    assert int(TOPICS[name].tuning()["segment.bytes"]) <= 64 * topics.MIB


def test_the_audit_is_kept_for_ever() -> None:
    required = TOPICS["audit"].required()
    assert (required["cleanup.policy"], required["retention.ms"]) == ("delete", "-1")


def test_every_record_carries_the_brokers_time_and_no_log_is_cut_by_its_size() -> None:
    for topic in TOPICS.values():
        assert topic.required()["message.timestamp.type"] == "LogAppendTime"
        assert topic.required()["retention.bytes"] == "-1"


def test_only_raw_frames_and_state_take_large_records() -> None:
    large = {name for name, topic in TOPICS.items() if topic.max_message_bytes > 4 * topics.MIB}
    assert large == {*topics.RAW_TOPICS, *topics.FRAMES_TOPICS, *topics.STATE_TOPICS}


def test_a_state_has_a_partition_for_each_of_its_log() -> None:
    for subject in topics.SUBJECTS:
        state, log = TOPICS[topics.indicators_state(subject)], TOPICS[topics.frames(subject)]
        assert state.partitions(5) == log.partitions(5) == 5


def test_the_small_ones_have_one_partition() -> None:
    assert {name for name, topic in TOPICS.items() if topic.partitions(7) == 1} == {"policy", "dead-letters"}


def test_an_unknown_subject_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match="'chanel'; there are channel, product"):
        topics.frames("chanel")
    with pytest.raises(ValueError, match="chanel"):
        topics.indicators_state("chanel")
