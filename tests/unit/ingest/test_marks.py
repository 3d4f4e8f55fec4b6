import pytest

from schemas.frames import FORMAT, Read, decode, encode, source_of
from services.ingest.marks import Clock, PolicyInMarks, Progress, build, read_time, roster


@pytest.mark.parametrize(
    ("clock", "append", "event", "caught_up", "expected"),
    [
        ("wall", None, None, None, None),
        ("wall", 5, 99, None, 5),
        ("wall", 5, 99, 8, 8),
        ("wall", 9, 99, 8, 9),
        ("wall", None, None, 8, 8),
        ("events", 5, None, 8, None),
        ("events", 5, 99, 8, 99),
    ],
)
def test_how_far_in_time_a_source_has_been_read(
    clock: Clock, append: int | None, event: int | None, caught_up: int | None, expected: int | None
) -> None:
    assert read_time(Progress(1, 2, append, event, caught_up), clock) == expected


def test_a_mark_names_every_source_and_tells_of_its_own() -> None:
    owned = [Progress(source_of("market-events", 1), 7, append_ms=70), Progress(0, 3, caught_up_ms=80), Progress(1, 0)]
    mark = build(1_000, "wall", 2, owned, PolicyInMarks("default/3", b"{}"))
    assert decode(encode(mark)) == mark
    assert (mark.v, mark.wall_ms, mark.clock, mark.policy, mark.document) == (FORMAT, 1_000, "wall", "default/3", b"{}")
    assert mark.roster == roster(2) == [topic << 16 | partition for topic in range(5) for partition in range(2)]
    assert mark.read == [Read(0, 3, 80), Read(source_of("market-events", 1), 7, 70)], "nothing of one without a time"
