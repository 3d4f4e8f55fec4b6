"""Ids are known for as long as the log keeps their orders, and snapshots of them stay small."""

from services.channel_control.seen import CHUNK, SeenIds

KEEP_MS = 1000


def restored(snapshot: dict[str, bytes]) -> SeenIds:
    seen = SeenIds(KEEP_MS)
    seen.load(snapshot)
    return seen


def snapshot_of(seen: SeenIds, before: dict[str, bytes] | None = None) -> dict[str, bytes]:
    snapshot = dict(before or {})
    for name, value in seen.changed():
        if value is None:
            del snapshot[name]
        else:
            snapshot[name] = value
    return snapshot


def test_an_id_is_known_once_it_was_added() -> None:
    seen = SeenIds(KEEP_MS)
    assert "a" not in seen
    seen.add("a", 0)
    assert "a" in seen


def test_ids_are_forgotten_after_their_time_and_not_before() -> None:
    seen = SeenIds(KEEP_MS)
    for number in range(CHUNK + 1):
        seen.add(str(number), number)
    seen.add("newer", KEEP_MS + CHUNK - 1)
    assert "0" in seen, "the chunk's newest is still in time"
    seen.add("newest", KEEP_MS + CHUNK)
    assert "0" not in seen
    assert str(CHUNK) in seen


def test_a_snapshot_holds_all_and_only_what_changed_is_written() -> None:
    seen = SeenIds(KEEP_MS)
    for number in range(2 * CHUNK + 10):
        seen.add(str(number), 0)
    snapshot = snapshot_of(seen)
    assert len(snapshot) == 3
    seen.add("one more", 0)
    changes = list(seen.changed())
    assert [name for name, _ in changes] == ["2"]
    assert list(seen.changed()) == []
    again = restored(snapshot | {name: value for name, value in changes if value is not None})
    assert len(again) == 2 * CHUNK + 11
    assert "one more" in again


def test_a_restored_one_goes_on_in_the_same_chunk_and_forgets_alike() -> None:
    first = SeenIds(KEEP_MS)
    for number in range(CHUNK + 5):
        first.add(str(number), number)
    second = restored(snapshot_of(first))
    for seen in (first, second):
        seen.add("later", 10 * KEEP_MS)
        assert len(seen) == 6
    assert list(first.changed()) == list(second.changed())


def test_a_forgotten_chunk_leaves_the_snapshot() -> None:
    seen = SeenIds(KEEP_MS)
    for number in range(CHUNK + 1):
        seen.add(str(number), 0)
    snapshot = snapshot_of(seen)
    seen.add("later", 10 * KEEP_MS)
    assert sorted(snapshot_of(seen, snapshot)) == ["1"]
