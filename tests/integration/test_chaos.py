"""A small chaos run: everything dies once, some freeze, and the outcome is the truth. `make chaos` is the large one."""

import random
from pathlib import Path

import pytest

from tests.chaos.__main__ import torment


@pytest.mark.timeout(420)
async def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"make chaos ARGS='--seed {seed} --events 20000 --deaths 1 --calm 2.5'")
    assert await torment(tmp_path, seed, events=20_000, deaths=1, calm=2.5) == []
