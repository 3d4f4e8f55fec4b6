"""What the integration tests share: one real broker for the whole session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.embedded.broker import Broker

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """With two workers one takes all that share the broker, the other what starts a system of its own, and the rest."""
    for item in items:
        if _HERE in item.path.parents:
            shared = "broker" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.xdist_group("broker" if shared else "system"))


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running Kafka (`broker.bootstrap`) with its data in a temporary folder. Tests keep apart by topic prefixes."""
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running
