"""Maintenance windows in the policy: when something is worked on, so that automation asks and nobody is rung up."""

from collections.abc import Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from schemas.base import Instant, Name
from schemas.closed import Closed

TargetPattern = Annotated[str, StringConstraints(max_length=420, pattern=r"^[a-z_]+:[^\x00-\x1f\x7f]+$")]
"""A target or subject, `*` standing for anything: `channel:douyin`, `channel:*`, `promotion:*@douyin`."""


class MaintenanceWindow(Closed):
    """One window, `from` inclusive, `to` exclusive."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    targets: Annotated[list[TargetPattern], Field(min_length=1)]
    """What is worked on, `*` standing for anything: `channel:douyin`, `channel:*`, `promotion:*@douyin`."""
    from_: Annotated[Instant, Field(alias="from")]
    to: Instant
    reason: Name

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "MaintenanceWindow":
        if self.to <= self.from_:
            raise ValueError("ends after it begins: `to` is later than `from`")
        return self

    def is_open(self, target: str, at: datetime) -> bool:
        """Whether this target is worked on at this moment."""
        return self.from_ <= at < self.to and any(fnmatchcase(target, _literal(each)) for each in self.targets)


def open_window(windows: Iterable[MaintenanceWindow], target: str, at: datetime) -> MaintenanceWindow | None:
    """The first window of a target that is open at this moment."""
    return next((window for window in windows if window.is_open(target, at)), None)


def _literal(pattern: str) -> str:
    """Only `*` means more than itself, since the ids of others may hold any sign."""
    return pattern.replace("[", "[[]").replace("?", "[?]")
