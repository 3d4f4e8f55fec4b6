"""A platform that speaks our own protocol, written from its OpenAPI document."""

import json
from base64 import b64encode
from typing import Any

from standardwebhooks import Webhook
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.platforms.standing import StandIn, Truth

PATH = "/v1/targets/{target:path}"


class GenericPlatform(StandIn):
    kind = "generic"
    secrets = {"G_TOKEN": "generic-token-123", "G_SECRET": "whsec_" + b64encode(b"s" * 32).decode()}

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, dict[str, Any]] = {}

    def entry(self, url: str) -> dict[str, Any]:
        return {"kind": self.kind, "url": url, "token": "env:G_TOKEN", "secret": "env:G_SECRET"}

    def routes(self) -> list[Route]:
        return [self.route(PATH, self._put, "PUT", writes=True), self.route(PATH, self._get, "GET")]

    def truth(self) -> Truth:
        for state in self.kept.values():
            if state["status"] == "throttled":
                return "throttled", state["factor"]
            if state["status"] != "running":
                return "paused", state["factor"]
        return "running", 1.0

    def by_hand(self, *, on: bool) -> None:
        for state in self.kept.values():
            state |= {"status": "running" if on else "paused", "factor": 1.0 if on else 0.0}

    async def _put(self, request: Request, body: bytes) -> Response:
        self._check(request, body.decode())
        wanted = json.loads(body)
        assert request.headers["idempotency-key"]
        before = self.kept.get(wanted["target"])
        if before is not None and before["generation"] > wanted["generation"]:
            return JSONResponse(before, 409)
        if before != wanted:
            self.changes += 1
            self.kept[wanted["target"]] = wanted
        return JSONResponse(wanted)

    async def _get(self, request: Request, body: bytes) -> Response:
        self._check(request, request.scope["raw_path"].decode())
        state = self.kept.get(request.path_params["target"])
        return JSONResponse({}, 404) if state is None else JSONResponse(state)

    def _check(self, request: Request, text: str) -> None:
        assert request.headers["authorization"] == f"Bearer {self.secrets['G_TOKEN']}"
        Webhook(self.secrets["G_SECRET"]).verify(text, dict(request.headers), json_parse=False)

    def pretend(self, body: bytes) -> Response:
        return Response(body, 200)
