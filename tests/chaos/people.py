"""The people of a chaos run: they order through the console's API, which dies as well, until they are answered."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from deploy.launcher.standard import ROOT
from deploy.launcher.system import System
from schemas.resuming import ResumePolicy
from services.policies.reading import read_policy
from tests.oracle.people import ACKNOWLEDGED, ANSWERS, LIFTED, STOPS, Answer, Stop
from tests.oracle.ramps import RESUMES
from tests.support.wide_policy import WIDE

Document = dict[str, Any]
AGAIN_S = 0.5


def resuming_policy(home: Path) -> Path:
    """Writes the default policy, resuming as the oracle says, into `home`; JSON is YAML as well. The governor is asked
    as ever, and grants all: the oracle knows no limits."""
    policy = read_policy(ROOT / "deploy" / "policy.yaml")
    resumes = {name: ResumePolicy.model_validate(resume) for name, resume in RESUMES.items()}
    changed = {name: policy.indicators[name].model_copy(update={"resume": each}) for name, each in resumes.items()}
    update = {"indicators": policy.indicators | changed, "governor": WIDE}
    file = home / "policy.yaml"
    file.write_text(policy.model_copy(update=update).model_dump_json(), "utf-8")
    return file


class People:
    """All that people do in a run. ends: of the stops that have one, as they were ordered."""

    def __init__(self, system: System) -> None:
        self._console = httpx.AsyncClient(base_url=system.url("console"), timeout=30)
        self._tokens = {role: system.secrets.token(role) for role in ("operator", "approver", "admin")}
        self.ends: dict[Stop, datetime] = {}

    async def run(self, patience_s: float) -> None:
        """The whole script, or what of it could be done in time: the rest will be missed."""
        async with self._console:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(patience_s):
                    await self._everything()

    async def _everything(self) -> None:
        answers = (self._insist("approver", each.word, partial(self._asked_for, each)) for each in ANSWERS)
        acknowledges = self._insist("operator", "acknowledge", self._alert)
        await asyncio.gather(*map(self._stop, STOPS), *answers, acknowledges, self._lift())

    async def _stop(self, stop: Stop) -> None:
        """Ordered twice under one key, as by a person who presses again."""
        await asyncio.sleep(stop.after)
        body: Document = {"target": stop.target, "note": "a person's reason"}
        if stop.factor is not None:
            body["factor"] = stop.factor
        if stop.lasts is not None:
            self.ends[stop] = datetime.now(UTC) + timedelta(seconds=stop.lasts)
            body["expires_at"] = self.ends[stop].isoformat()
        for _ in range(2):
            await self._order(stop.word, "operator", body, f"{stop.word} {stop.target}")

    async def _lift(self) -> None:
        """One asks to lift what a guardrail stopped, and two others agree."""
        await self._insist("operator", "resume", self._guardrail)
        await self._insist("approver", "approve", self._request)
        await self._insist("admin", "approve", self._request)

    async def _insist(self, role: str, word: str, look: Callable[[], Awaitable[Document | None]]) -> None:
        """Orders once there is something to order about; anew when something landed since they looked."""
        attempt = 0
        while True:
            if body := await look():
                attempt += 1
                about = body.get("target") or body["alert_id"]
                if await self._order(word, role, body, f"{word} {about} {attempt}"):
                    return
            await asyncio.sleep(AGAIN_S)

    async def _asked_for(self, answer: Answer) -> Document | None:
        asked = (await self._look("approvals"))["approvals"]
        mine = [e for e in asked if (e["target"], e["hold"]["indicator"]) == (answer.target, answer.indicator)]
        return _about(mine[0], [mine[0]["hold"]["hold_id"]]) if mine else None

    async def _alert(self) -> Document | None:
        indicator, subject = ACKNOWLEDGED
        alerts = (await self._look("alerts", subject=subject))["alerts"]
        return next(({"alert_id": each["alert_id"]} for each in alerts if each["indicator"] == indicator), None)

    async def _guardrail(self) -> Document | None:
        states = (await self._look("channels", kind="channel"))["channels"]
        mine = [state for state in states if (state["target"], state["status"]) == (LIFTED[1], "paused")]
        return _about(mine[0], [hold["hold_id"] for hold in mine[0]["holds"]]) if mine else None

    async def _request(self) -> Document | None:
        requests = (await self._look("approvals"))["requests"]
        mine = [each for each in requests if each["target"] == LIFTED[1]]
        return _about(mine[0], [mine[0]["request"]["request_id"]]) if mine else None

    async def _order(self, word: str, role: str, body: Mapping[str, Any], key: str) -> bool:
        """Repeats an order until its outcome is known; whether it was done, rather than refused."""
        headers = {"Authorization": f"Bearer {self._tokens[role]}", "Idempotency-Key": key}
        while True:
            answer = await self._call("POST", f"orders/{word}", headers=headers, json=body, params={"wait": 5})
            if answer.status_code == 409:
                return False
            if answer.status_code == 200:
                return True
            await asyncio.sleep(AGAIN_S)

    async def _look(self, what: str, **params: str) -> Document:
        headers = {"Authorization": f"Bearer {self._tokens['operator']}"}
        found: Document = (await self._call("GET", what, headers=headers, params=params)).json()
        return found

    async def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """The first answer of a console that lives and has its broker. Raises HTTPStatusError for a wrong request."""
        while True:
            try:
                answer = await self._console.request(method, f"/api/v1/{path}", **request)
            except httpx.TransportError:
                await asyncio.sleep(AGAIN_S)
                continue
            if answer.status_code < 500:
                if answer.status_code != 409:
                    answer.raise_for_status()
                return answer
            await asyncio.sleep(AGAIN_S)


def _about(seen: Document, ids: list[str]) -> Document:
    return {"target": seen["target"], "expected_generation": seen["generation"], "hold_ids": ids}
