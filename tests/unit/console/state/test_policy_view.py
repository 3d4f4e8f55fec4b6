"""The console scans by the policy in force, and by the last good one while a broken one is named."""

import pytest

from schemas.content import ContentPolicy, Phrase
from schemas.policy import IndicatorPolicy, Policy, PolicyRef
from services.console.state.policy_view import PolicyInForce
from services.scanning.report import Material


def policy(version: int, phrase: str, **thresholds: object) -> Policy:
    content = ContentPolicy(phrases=[Phrase(text=phrase)], prompts=[])
    return Policy(
        version=version, content=content, indicators={"content_violation": IndicatorPolicy(thresholds=thresholds)}
    )


def publish(view: PolicyInForce, document: Policy) -> None:
    view.fold(document.label.encode(), document.model_dump_json().encode())


def activate(view: PolicyInForce, version: int) -> None:
    view.fold(b"active", PolicyRef(name="default", version=version).model_dump_json().encode())


def is_violation(view: PolicyInForce, material: Material) -> bool:
    assert view.scanner is not None
    return view.scanner.scan(material, view.figures).violated


def test_nothing_is_in_force_before_it_is_named() -> None:
    view = PolicyInForce()
    publish(view, policy(1, "甲乙"))
    assert (view.label, view.scanner) == (None, None)
    activate(view, 1)
    assert view.label == "default/1"
    assert is_violation(view, Material(body="甲乙"))


def test_the_version_that_is_named_counts_be_it_an_older_one() -> None:
    view = PolicyInForce()
    activate(view, 2)
    publish(view, policy(1, "甲乙"))
    publish(view, policy(2, "丙丁", reviewers=3, take_down_within="30m"))
    assert not is_violation(view, Material(body="甲乙"))
    assert is_violation(view, Material(body="", reviewers=2))
    activate(view, 1)
    assert is_violation(view, Material(body="甲乙"))
    assert not is_violation(view, Material(body="", reviewers=2))


@pytest.mark.parametrize(
    "value", [b"{}", b"\xff", policy(3, "甲乙").model_dump_json().encode(), policy(2, "甲", reviewers="many")]
)
def test_a_broken_document_leaves_the_good_one(value: bytes | Policy) -> None:
    view = PolicyInForce()
    publish(view, policy(1, "甲乙"))
    activate(view, 1)
    view.fold(b"default/2", value if isinstance(value, bytes) else value.model_dump_json().encode())
    with pytest.raises(ValueError, match=r"."):
        activate(view, 2)
    assert view.label == "default/1"
    assert is_violation(view, Material(body="甲乙"))


def test_a_document_that_is_removed_leaves_the_one_in_force() -> None:
    view = PolicyInForce()
    publish(view, policy(1, "甲乙"))
    activate(view, 1)
    view.fold(b"default/1", None)
    assert is_violation(view, Material(body="甲乙"))
