"""What the integration tests share: one real broker for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With several workers one of them takes all of these: they share the broker, and measure how long things take."""
    for item in items:
        if _HERE in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("broker"))


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running Kafka (`broker.bootstrap`) with its data in a temporary folder. Tests keep apart by topic prefixes."""
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running
