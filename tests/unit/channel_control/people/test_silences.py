"""A person's silence is passed on to every partition of alerts."""

import json

from schemas.alerting import SILENCE_KEY, Silence
from schemas.base import from_ms
from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Output, Record
from services.runtime.murmur import partition_of
from tests.unit.channel_control.orders import persons

AT_MS = 1_767_225_600_000
TARGET = "channel:douyin"


def silences(outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if output.key == SILENCE_KEY]


def given(**fields: object) -> list[Output]:
    partition = partition_of(TARGET.encode(), 3)
    command = persons(1, "silence", target=TARGET, **fields)
    return ControlMachine(partition, 3).apply(Record(0, AT_MS, TARGET.encode(), json.dumps(command).encode()))


def test_all_partitions_of_alerts_are_told_the_same() -> None:
    said = silences(given(expires_at="2026-01-01T04:00:00Z", note="the platform moves"))
    assert [(output.topic, output.partition) for output in said] == [("alerts", each) for each in range(3)]
    (one,) = {output.value for output in said}
    silence = Silence.model_validate_json(one or b"")
    assert (silence.subject, silence.alert_id, silence.reason) == (TARGET, None, "the platform moves")
    assert (silence.since, silence.until) == (from_ms(AT_MS), from_ms(AT_MS + 4 * 3_600_000))


def test_a_silence_without_an_end_ends_the_one_before_of_the_same_scope() -> None:
    one, other, of_alert = (
        Silence.model_validate_json(silences(given(**fields))[0].value or b"")
        for fields in (
            {"expires_at": "2026-01-01T04:00:00Z"},
            {},
            {"alert_id": "ab" * 16, "expires_at": "2026-01-01T04:00:00Z"},
        )
    )
    assert one.silence_id == other.silence_id != of_alert.silence_id
    assert other.until is None


def test_nothing_but_the_audit_changes() -> None:
    others = [output for output in given(expires_at="2026-01-01T04:00:00Z") if output.key != SILENCE_KEY]
    assert [output.topic for output in others] == ["audit"]
    assert json.loads(others[0].value or b"")["detail"]["expires_at"] == "2026-01-01T04:00:00Z"
