"""`python -m schemas.export [--check]`: writes the JSON Schema of every message, or says which file is not current."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from schemas.alerts import AlertFact, AlertState, WebhookMessage
from schemas.audit import AuditRecord, SignedHead
from schemas.channels import ChannelState, WantedState
from schemas.commands import Command
from schemas.dead_letters import DeadLetter
from schemas.events import EVENT
from schemas.platform_api import platform_api
from schemas.policy import Policy, PolicyInForce, PolicyRef
from schemas.policy_topic import PolicyRecord
from schemas.readings import Reading, Tally

FOLDER = Path(__file__).parent / "json"
MESSAGES: dict[str, type[BaseModel]] = {
    "command": Command,
    "alert-fact": AlertFact,
    "alert-state": AlertState,
    "webhook": WebhookMessage,
    "channel-state": ChannelState,
    "wanted-state": WantedState,
    "audit": AuditRecord,
    "audit-head": SignedHead,
    "dead-letter": DeadLetter,
    "policy": Policy,
    "policy-active": PolicyRef,
    "policy-history": PolicyRecord,
    "policy-in-force": PolicyInForce,
    "reading": Reading,
    "tally": Tally,
}


def schemas() -> Iterator[tuple[str, dict[str, Any]]]:
    """Each message's file name and schema, and the document of the platform's protocol."""
    yield "event.json", EVENT.json_schema()
    for name, model in MESSAGES.items():
        yield f"{name}.json", model.model_json_schema(by_alias=True)
    yield "platform-openapi.json", platform_api()


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def stale() -> list[str]:
    """The files that differ from their models."""
    current = {name: _text(schema) for name, schema in schemas()}
    on_disk = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.json")}
    return sorted(name for name in current.keys() | on_disk.keys() if current.get(name) != on_disk.get(name))


def main() -> int:
    """0 when all is current or written, 1 when `--check` finds a difference."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file is not current")
    if parser.parse_args().check:
        for name in (old := stale()):
            print(f"schemas/json/{name} is not current: run python -m schemas.export", file=sys.stderr)
        return 1 if old else 0
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.json"):
        path.unlink()
    for name, schema in schemas():
        (FOLDER / name).write_text(_text(schema), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
