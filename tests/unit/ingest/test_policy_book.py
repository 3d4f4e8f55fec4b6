import pytest

from schemas.policy import Policy, PolicyRef
from services.ingest.marks import PolicyInMarks
from services.ingest.policy_book import ACTIVE, PolicyBook


def _publish(book: PolicyBook, version: int, *, document: bytes | None = None) -> bool:
    policy = Policy(version=version)
    book.fold(policy.label.encode(), policy.model_dump_json().encode() if document is None else document)
    book.fold(ACTIVE, PolicyRef(name=policy.name, version=version).model_dump_json().encode())
    return book.adopt()


def test_the_active_policy_comes_into_force_once() -> None:
    book = PolicyBook()
    assert not book.adopt()
    with pytest.raises(LookupError):
        book.in_marks(told=False)
    assert _publish(book, 1)
    assert not _publish(book, 1)
    assert _publish(book, 2)
    assert book.active is not None
    assert book.in_marks(told=True) == PolicyInMarks("default/2", None)
    assert book.in_marks(told=False) == PolicyInMarks("default/2", book.active.model_dump_json().encode())
    assert book.take_refusals() == []


def test_the_order_of_document_and_name_does_not_matter() -> None:
    book = PolicyBook()
    book.fold(ACTIVE, PolicyRef(name="default", version=1).model_dump_json().encode())
    assert not book.adopt()
    book.fold(b"default/1", Policy(version=1).model_dump_json().encode())
    assert book.adopt()


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (b'{"version": 2, "tresholds": {}}', "policy default/2 is not valid at tresholds"),
        (b"{", "policy default/2 is not valid at its top"),
        (b'{"version": 3}', "the document under default/2 says that it is default/3"),
    ],
)
def test_a_broken_policy_is_told_of_and_leaves_the_old_one_in_force(document: bytes, reason: str) -> None:
    book = PolicyBook()
    _publish(book, 1)
    assert not _publish(book, 2, document=document)
    assert book.active == Policy(version=1)
    assert book.take_refusals() == [reason]
    assert book.take_refusals() == []


def test_records_that_are_none_of_ours_change_nothing() -> None:
    book = PolicyBook()
    _publish(book, 1)
    book.fold(None, b"x")
    book.fold(ACTIVE, b"x")
    book.fold(b"other/1", None)
    assert not book.adopt()
    assert book.active == Policy(version=1)
    assert book.take_refusals() == ["the record that names the active policy is not one"]
