"""What people read while the demonstration plays, and what was missing."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime

import httpx
from rich.console import Console

from deploy.demo.stage import NotSeenError
from deploy.demo.story import SHANGHAI


@dataclass
class Timeline:
    """`missing`: the steps that did not come."""

    console: Console = field(default_factory=lambda: Console(highlight=False))
    missing: list[str] = field(default_factory=list)

    def heading(self, at: datetime, what: str) -> None:
        """Something that happens out there."""
        self.console.print(f"\n[bold]{at.astimezone(SHANGHAI):%H:%M}  {what}[/bold]")

    def line(self, mark: str, what: str) -> None:
        """Something that Tidegate did."""
        self.console.print(f"       {mark} {what}")

    async def check(self, what: str, looking: Awaitable[str]) -> None:
        """Waits for a step and tells of it; a step that does not come is kept as missing."""
        try:
            self.line("[green]✓[/green]", f"{what}: {await looking}")
        except (NotSeenError, httpx.HTTPError) as error:
            self.missing.append(what)
            self.line("[red]✗[/red]", f"{what}: {error}")
