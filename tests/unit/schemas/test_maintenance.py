"""When what is under maintenance."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from schemas.maintenance import MaintenanceWindow, open_window
from schemas.policy import Policy
from services.policies.reading import parse_policy

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)


def window(*targets: str, hours: int = 1, reason: str = "the platform moves") -> MaintenanceWindow:
    return MaintenanceWindow.model_validate(
        {"targets": list(targets), "from": AT, "to": AT + timedelta(hours=hours), "reason": reason}
    )


@pytest.mark.parametrize(
    ("pattern", "inside", "outside"),
    [
        ("channel:douyin", "channel:douyin", "channel:douyin2"),
        ("channel:*", "channel:douyin", "promotion:p@douyin"),
        ("promotion:*@douyin", "promotion:p@douyin", "promotion:p@wechat"),
        ("channel:a?[b]", "channel:a?[b]", "channel:axb"),
    ],
)
def test_a_pattern_covers_what_it_says(pattern: str, inside: str, outside: str) -> None:
    assert window(pattern).is_open(inside, AT)
    assert not window(pattern).is_open(outside, AT)


@given(st.from_regex(r"[a-z]{1,5}:[^\x00-\x1f\x7f*]{1,20}", fullmatch=True))
def test_without_a_star_a_pattern_covers_itself(target: str) -> None:
    assert window(target).is_open(target, AT)


def test_a_window_is_open_from_its_beginning_until_just_before_its_end() -> None:
    minute = timedelta(minutes=1)
    times = [AT - minute, AT, AT + 59 * minute, AT + 60 * minute]
    assert [window("channel:*").is_open("channel:a", at) for at in times] == [False, True, True, False]


def test_of_several_windows_the_first_open_one_tells_why() -> None:
    windows = [window("actor:*", reason="no"), window("channel:*", reason="yes"), window("channel:a", reason="later")]
    found = open_window(windows, "channel:a", AT)
    assert found is not None and found.reason == "yes"
    assert open_window(windows, "channel:a", AT + timedelta(hours=2)) is None


@pytest.mark.parametrize("wrong", [{"to": AT}, {"targets": []}, {"targets": ["douyin"]}, {"reason": ""}, {"until": AT}])
def test_a_window_that_says_nothing_is_refused(wrong: dict[str, object]) -> None:
    good = {"targets": ["channel:a"], "from": AT, "to": AT + timedelta(hours=1), "reason": "x"}
    with pytest.raises(ValidationError):
        MaintenanceWindow.model_validate(good | wrong)


def test_a_policy_document_names_windows_and_reads_what_it_writes() -> None:
    policy = parse_policy(
        """
version: 2
maintenance:
  - {targets: ["channel:douyin"], from: 2026-12-01T22:00:00+08:00, to: 2026-12-02T02:00:00+08:00, reason: 平台升级}
""",
        "my.yaml",
    )
    assert policy.maintenance[0].from_ == datetime(2026, 12, 1, 14, tzinfo=UTC)
    assert Policy.model_validate_json(policy.model_dump_json()) == policy
