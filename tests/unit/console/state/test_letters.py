"""What the console keeps of dead letters, and the pages that show it."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.dead_letters import DeadLetter, Problem
from schemas.topics import DEAD_LETTERS
from services.console.people import Role
from services.console.state.letters import MAX_REASONS, Letters
from tests.unit.console.browsing import browsing
from tests.unit.console.samples import NOW
from tests.unit.console.world import World

MISSING = Problem(field="count", problem="is required")


def letter(offset: int, topic: str = "channel-events", *errors: Problem, **fields: Any) -> DeadLetter:
    known: dict[str, Any] = {"partition": 0, "at": NOW + timedelta(minutes=offset), "size": 100, "raw": "sealed-secret"}
    return DeadLetter(topic=topic, offset=offset, errors=list(errors or [MISSING]), **known | fields)


def folded(*letters: DeadLetter, capacity: int = 100) -> Letters:
    found = Letters(capacity)
    for each in letters:
        found.fold(each.model_dump_json().encode())
    return found


def test_a_letter_that_comes_again_is_one() -> None:
    letters = folded(letter(1), letter(2), letter(1))
    assert [(pile.problem, pile.count) for pile in letters.piles()] == [(MISSING, 2)]
    assert [each.offset for each in letters.newest(lambda _: True)] == [2, 1]


def test_the_oldest_are_forgotten_and_still_counted() -> None:
    letters = folded(*(letter(offset) for offset in range(10)), capacity=3)
    assert [each.offset for each in letters.newest(lambda _: True)] == [9, 8, 7]
    assert letters.counts() == {"channel-events": 10}


def test_reasons_are_counted_by_topic_and_never_too_many() -> None:
    letters = folded(*(letter(n, "t", Problem(field=f"{n}", problem="x")) for n in range(MAX_REASONS + 50)))
    assert len(letters.piles()) == MAX_REASONS + 1
    assert sum(pile.count for pile in letters.piles()) == MAX_REASONS + 50


def test_what_is_no_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="validation error"):
        Letters().fold(b"{}")


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(("language", "words"), [("en", "What was rejected"), ("zh", "被拒收的记录")])
@pytest.mark.parametrize("role", ["viewer", "admin"])
async def test_the_page_says_why_and_shows_nothing_sealed(world: World, language: str, words: str, role: Role) -> None:
    await world.read(DEAD_LETTERS, *(("k", letter(offset)) for offset in range(120)))
    await world.read(DEAD_LETTERS, ("k", letter(500, "complaint-events", Problem(field="type", problem="is <odd>"))))
    async with browsing(world, role, language) as client:
        page = (await client.get("/dead-letters")).text
        assert words in page
        assert "is &lt;odd&gt;" in page
        assert "sealed-secret" not in page
        second = (await client.get("/dead-letters?page=2")).text
        assert (page.count("channel-events/0 @"), second.count("channel-events/0 @")) == (99, 21)
        only = (
            await client.get(
                "/dead-letters", params={"topic": "complaint-events", "problem": "is <odd>", "field": "type"}
            )
        ).text
        assert (only.count("complaint-events/0 @"), only.count("channel-events/0 @")) == (1, 0)


@pytest.mark.usefixtures("complete")
async def test_one_letter_is_explained_with_the_command_that_opens_it(world: World) -> None:
    await world.read(DEAD_LETTERS, ("k", letter(7)), ("k", letter(8, size=100_000)))
    async with browsing(world) as client:
        page = (await client.get("/dead-letters/channel-events/0/7")).text
        assert "tidegate dead-letters open --topic channel-events --partition 0 --offset 7" in page
        assert "cannot be sent again" in (await client.get("/dead-letters/channel-events/0/8")).text
        assert (await client.get("/dead-letters/channel-events/0/9")).status_code == 404


@pytest.mark.usefixtures("complete")
async def test_pages_do_not_wait_for_dead_letters(world: World) -> None:
    assert world.feed.complete
    async with browsing(world) as client:
        assert "Nothing was rejected" in (await client.get("/dead-letters")).text
