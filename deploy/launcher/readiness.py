"""Waits until services say that they are ready, and tells people what is missing when it takes long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import httpx

from deploy.launcher import words
from deploy.launcher.processes import Say
from deploy.launcher.table import Service
from deploy.ports import HOST

_POLL_S = 0.1
_TELL_AFTER_S = 10.0


async def wait_until_ready(services: Sequence[Service], say: Say, on_ready: Callable[[str], None]) -> None:
    """Return when every one of `services` that has a port answers 200 on /readyz; `on_ready` is told each name."""
    pending = {service.name: service for service in services if service.port_variable is not None}
    loop = asyncio.get_running_loop()
    tell_at = loop.time() + _TELL_AFTER_S
    async with httpx.AsyncClient(timeout=2.0, trust_env=False) as client:
        while pending:
            answers = await asyncio.gather(*(_ask(client, service) for service in pending.values()))
            states = dict(zip(list(pending), answers, strict=True))
            for name, (ready, _) in states.items():
                if ready:
                    del pending[name]
                    on_ready(name)
            if pending and loop.time() >= tell_at:
                tell_at = loop.time() + _TELL_AFTER_S
                for name in pending:
                    say(f"waiting for {words.waiting(name, states[name][1])}")
            if pending:
                await asyncio.sleep(_POLL_S)


async def _ask(client: httpx.AsyncClient, service: Service) -> tuple[bool, str | None]:
    try:
        answer = await client.get(f"http://{HOST}:{service.port}/readyz")
    except httpx.HTTPError:
        return False, None
    return answer.status_code == 200, answer.text
