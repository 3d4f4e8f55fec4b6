"""A real Prometheus for the length of a `with` block, with our configuration and rules."""

import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import yaml

from tests.system.program import Program

PROGRAM: Final = shutil.which("prometheus")
DEPLOYED: Final = Path(__file__).resolve().parents[2] / "deploy" / "prometheus"


class Prometheus(Program):
    """The program, seen from outside."""

    def __init__(self, folder: Path, port: int, client: httpx.AsyncClient) -> None:
        super().__init__(PROGRAM, "prometheus", folder, port, client)
        self.began = time.time()

    async def now(self, expr: str) -> list[dict[str, Any]]:
        """What a query gives at this moment."""
        return await self._ask("query", query=expr)

    async def has_numbers(self, expr: str) -> bool:
        """Whether a query gives any number, over all the time that it has run."""
        series = await self._ask("query_range", query=expr, start=self.began, end=time.time(), step=1)
        return any(number != "NaN" for each in series for _, number in each["values"])

    async def values_of(self, label: str, match: str) -> list[str]:
        """Of a label, in series that match."""
        answer = await self._client.get(f"{self.url}/api/v1/label/{label}/values", params={"match[]": match})
        found: list[str] = answer.json()["data"]
        return found

    async def problems(self) -> list[str]:
        """Targets that could not be scraped."""
        targets = (await self._client.get(f"{self.url}/api/v1/targets")).json()["data"]["activeTargets"]
        return [f"{each['scrapeUrl']}: {each['lastError']}" for each in targets if each["health"] != "up"]

    async def _ask(self, how: str, **parameters: Any) -> list[dict[str, Any]]:
        answer = (await self._client.post(f"{self.url}/api/v1/{how}", data=parameters)).json()
        assert answer["status"] == "success", f"{parameters['query']}: {answer.get('error')}"
        found: list[dict[str, Any]] = answer["data"]["result"]
        return found


def configuration(ports: Mapping[str, int], own: int) -> dict[str, Any]:
    """Ours, for processes of this machine by the names that they have in it, every second. KeyError: one is unknown."""
    config: dict[str, Any] = yaml.safe_load((DEPLOYED / "prometheus.yml").read_text("utf-8"))
    config["global"] = {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(DEPLOYED / "rules" / "*.yml")]
    del config["alerting"]
    known = {**ports, "localhost": own}
    for job in config["scrape_configs"]:
        for group in job["static_configs"]:
            group["targets"] = [f"127.0.0.1:{known[target.split(':')[0]]}" for target in group["targets"]]
    return config


@contextlib.asynccontextmanager
async def prometheus(ports: Mapping[str, int], folder: Path, port: int) -> AsyncIterator[Prometheus]:
    """One that scrapes these processes, by their names in our configuration."""
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration(ports, port)))
    async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
        program = Prometheus(folder, port, client)
        await program.start(f"--storage.tsdb.path={folder / 'data'}")
        try:
            yield program
        finally:
            await program.kill()
