"""What the launcher says of its children: how they ended, and which of their log lines people should see. Pure."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterable

BAD_SETTINGS = 2
"""The exit code of a service that will not start with these settings, however often it is tried."""

_LOUD = ("error", "critical")


def ending(code: int) -> str:
    """In words how a process ended, from its return code as `subprocess` gives it."""
    if code >= 0:
        return "ended" if code == 0 else f"ended with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"


def headline(line: str) -> str | None:
    """What the terminal shows of a child's log line: the event of an error and its last words, else None."""
    entry = _entry(line)
    if entry is None or entry.get("level") not in _LOUD:
        return None
    event = str(entry.get("event", "an error without words"))
    trace = str(entry.get("error", "")).strip()
    return f"{event}: {trace.splitlines()[-1].strip()}" if trace else event


def plain(line: str) -> str | None:
    """A line of output for people: text as it is, of a log its event."""
    entry = _entry(line)
    return line.rstrip() or None if entry is None else str(entry.get("event", "")) or None


def last_words(lines: Iterable[str], most: int = 8) -> list[str]:
    """Of the last lines of a child that died, those that say why: plain text as it is, logs as their headline."""
    said = []
    for line in lines:
        text = headline(line) if _entry(line) is not None else line.rstrip()
        if text:
            said.append(text)
    return said[-most:]


def _entry(line: str) -> dict[str, object] | None:
    if not line.startswith("{"):
        return None
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def waiting(name: str, answer: str | None) -> str:
    """Why a service is not ready yet, from the body of its /readyz (None: no answer)."""
    entry = _entry(answer) if answer is not None else None
    parts = entry.get("parts") if entry is not None else None
    if not isinstance(parts, dict):
        return f"{name} does not answer yet"
    reasons = [f"{part}: {reason}" for part, reason in parts.items() if reason != "ok"]
    return f"{name}: {', '.join(reasons) or 'not ready yet'}"
