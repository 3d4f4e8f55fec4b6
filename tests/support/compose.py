"""docker-compose.yml as data: what it says of each container, with variables filled in. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "docker-compose.yml"
OURS: Final = "tidegate"
_VARIABLE: Final = re.compile(r"\$\{([A-Z_]+)(?::-([^}]*))?\}")
_DURATION: Final = re.compile(r"(\d+)s")


@dataclass(frozen=True, slots=True)
class Container:
    """One service of the file. `spec` is all of it; variables are filled in."""

    name: str
    spec: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        return str(self.spec["image"]).partition(":")[0] == OURS

    @property
    def runs_once(self) -> bool:
        return bool(self.spec["restart"] == "no")

    @property
    def command(self) -> list[str]:
        return [*self.spec.get("entrypoint", ()), *map(str, self.spec.get("command", ()))]

    @property
    def environment(self) -> dict[str, str]:
        return {name: str(value) for name, value in self.spec.get("environment", {}).items()}

    @property
    def probe(self) -> list[str] | None:
        """The command of the health check."""
        check = self.spec.get("healthcheck", {"disable": True})
        return None if check.get("disable") else list(check["test"][1:])

    @property
    def retries(self) -> int:
        """Of the health check."""
        return int(self.spec["healthcheck"]["retries"])

    def seconds(self, name: str) -> float:
        """A duration, which we always write in seconds."""
        found = _DURATION.fullmatch({**self.spec, **self.spec.get("healthcheck", {})}[name])
        assert found is not None, name
        return float(found[1])


def variables(text: str) -> Iterator[tuple[str, str]]:
    """Name and default of each variable in the file."""
    return ((found[1], found[2] or "") for found in _VARIABLE.finditer(text))


def containers(given: Mapping[str, str] | None = None) -> dict[str, Container]:
    """All of them by name; `given`: the variables that are set."""
    values = given or {}
    document = yaml.safe_load(FILE.read_text("utf-8"))
    services = _filled(document["services"], values)
    return {name: Container(name, spec) for name, spec in services.items()}


def _filled(value: Any, given: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, given) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, given) for each in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: given.get(found[1]) or found[2] or "", value)
    return value


def known_to_no_provider(secrets: Path) -> None:
    """Says in the file of local users, as it must where there is a provider, that it does not know them."""
    file = secrets / "console-users.yaml"
    file.write_text(file.read_text("utf-8").replace("    role:", "    at_provider: null\n    role:"), "utf-8")
