"""What the integration tests share: one real broker for each worker's whole session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deploy.embedded.broker import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """A running Kafka (`broker.bootstrap`) with its data in a temporary folder. Tests keep apart by topic prefixes."""
    with Broker(tmp_path_factory.mktemp("kafka")) as running:
        yield running
