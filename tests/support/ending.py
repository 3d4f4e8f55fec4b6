"""The end of the process, for tests that live on: noted, and raised as something hard to swallow."""

from __future__ import annotations

from types import ModuleType

import pytest


class Ended(BaseException):
    """Stands for the end of the process."""


def note_ends(monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> list[str]:
    """What these modules end the process for, from now on."""
    reasons: list[str] = []

    def end(reason: str, error: BaseException | None = None, **_: object) -> None:
        reasons.append(reason)
        raise Ended(reason) from error

    for module in modules:
        monkeypatch.setattr(module, "end_process", end)
    return reasons
