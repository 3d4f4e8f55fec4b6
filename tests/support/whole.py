"""All that a running system shows: what is on its topics, in its files, its metrics and answers, and on its pages."""

import html
import re
from collections.abc import AsyncIterator, Iterable, Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpx
from aiokafka import TopicPartition
from pyarrow import parquet

from deploy.launcher.system import System
from schemas.topics import TOPICS
from services.runtime.kafka.kafka_io import consumer
from services.runtime.settings import CommonSettings

_LINK: Final = re.compile(r'href="([^"]+)"')
_NO_PAGES: Final = ("/language/", "/static/", "/live", "/signout", "/audit/export")
Place = tuple[str, bytes]
TRACED: Final = re.compile(rb"\n00-[0-9a-f]{32}-[0-9a-f]{16}-01")
"""In a record's headers."""


async def on_topics(settings: CommonSettings, topics: Iterable[str]) -> AsyncIterator[Place]:
    """Each record of the topics with its key and headers, as it is on the wire."""
    wanted = [
        TopicPartition(settings.prefix + topic, number)
        for topic in topics
        for number in range(TOPICS[topic].partitions(settings.partitions))
    ]
    client: Any = consumer(settings)
    await client.start()
    try:
        client.assign(wanted)
        await client.seek_to_beginning(*wanted)
        left = {place: end for place, end in (await client.end_offsets(wanted)).items() if end}
        while left:
            for batch in (await client.getmany(*left, timeout_ms=100)).values():
                for record in batch:
                    headers = b"\n".join(value for _, value in record.headers)
                    content = b"\n".join((record.key or b"", record.value or b"", headers))
                    yield record.topic.removeprefix(settings.prefix), content
            left = {place: end for place, end in left.items() if await client.position(place) < end}
    finally:
        await client.stop()


def in_files(home: Path) -> Iterator[Place]:
    """What the processes have written, but for the broker's own data and the secrets; what is compressed, as its reader
    gets it."""
    for path in sorted(home.rglob("*")):
        where = path.relative_to(home)
        if path.is_file() and where.parts[0] not in ("kafka", "secrets"):
            yield str(where), _rows(path) if path.suffix == ".parquet" else path.read_bytes()


def _rows(path: Path) -> bytes:
    return str(parquet.read_table(path).to_pylist()).encode()


async def in_metrics(running: System) -> AsyncIterator[Place]:
    """The metrics of every service that has any."""
    async with httpx.AsyncClient(headers={"Accept": "application/openmetrics-text"}) as client:
        for name, service in running.services.items():
            if service.port_variable is not None and name not in ("platform", "receiver"):
                answer = await client.get(f"{running.url(name)}/metrics")
                assert answer.status_code == 200, name
                yield f"/metrics of {name}", answer.content


async def in_answers(running: System) -> AsyncIterator[Place]:
    """What the console's API answers an admin, and what the stand-ins of the outside have been told."""
    console, platform = f"{running.url('console')}/api/v1", running.url("platform")
    kinds = ("channel", "promotion", "product", "actor", "account", "content")
    asked = [f"{console}/channels?kind={kind}" for kind in kinds]
    asked += [f"{console}/{name}" for name in ("alerts", "audit", "approvals", "figures", "directory", "silences")]
    asked += [f"{platform}/_targets", f"{platform}/_calls", f"{running.url('receiver')}/_messages"]
    headers = {"Authorization": f"Bearer {running.secrets.token('admin')}"}
    async with httpx.AsyncClient(headers=headers) as client:
        for url in asked:
            answer = await client.get(url)
            assert answer.status_code == 200, url
            yield url, answer.content


async def on_pages(running: System, most: int = 150) -> AsyncIterator[Place]:
    """The console's pages as an admin sees them: those that links lead to, at most so many."""
    async with httpx.AsyncClient(base_url=running.url("console"), follow_redirects=True, timeout=20) as client:
        form = {"name": "demo-admin", "password": running.secrets.token("admin"), "next": "/"}
        answer = await client.post("/signin", data=form, headers={"Origin": running.url("console")})
        assert answer.status_code == 200, answer.text
        waiting, known = ["/"], {"/"}
        while waiting and len(known) - len(waiting) < most:
            path = waiting.pop(0)
            answer = await client.get(path)
            yield path, answer.content
            links = [urljoin(path, html.unescape(link)) for link in _LINK.findall(answer.text)]
            new = [link for link in dict.fromkeys(links) if _is_page(link) and link not in known]
            waiting += new
            known |= {*new}


def _is_page(link: str) -> bool:
    parts = urlsplit(link)
    return not parts.netloc and parts.scheme == "" and not parts.path.startswith(_NO_PAGES)
