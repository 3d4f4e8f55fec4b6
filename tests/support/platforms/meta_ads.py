"""Meta's Marketing API as its documentation describes it: two campaigns with daily budgets and labels."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.platforms.standing import Fault, StandIn, Truth

FULL = {"170": 5_000, "180": 3_001}
"""The budgets before anybody came, in cents."""


class MetaAdsPlatform(StandIn):
    kind = "meta_ads"
    secrets = {"META_TOKEN": "meta-token-1", "META_APP": "app-secret-2"}
    campaigns = ("170", "180")

    def __init__(self) -> None:
        super().__init__()
        self.labels = {"1": "spring", "2": "approved"}
        self.nodes: dict[str, dict[str, Any]] = {
            number: {"status": "ACTIVE", "daily_budget": str(amount), "labels": ["1", "2"]}
            for number, amount in FULL.items()
        }

    def entry(self, url: str) -> dict[str, Any]:
        return {"kind": self.kind, "url": url, "token": "env:META_TOKEN", "app_secret": "env:META_APP"}

    def routes(self) -> list[Route]:
        return [
            self.route("/v26.0/", self._get, "GET"),
            self.route("/v26.0/{campaign}", self._post, "POST", writes=True),
        ]

    def truth(self) -> Truth:
        on = {node["status"] == "ACTIVE" for node in self.nodes.values()}
        if on == {False}:
            return "paused", 0.0
        assert on == {True}
        factor = round(sum(int(node["daily_budget"]) for node in self.nodes.values()) / sum(FULL.values()), 2)
        return ("running" if factor == 1 else "throttled"), factor

    def by_hand(self, *, on: bool) -> None:
        for node in self.nodes.values():
            node["status"] = "ACTIVE" if on else "PAUSED"

    def rate_limit(self) -> Fault:
        return Fault("fail", 400, retry_after=7)

    def refusal(self, fault: Fault) -> Response:
        number = 80004 if fault.status == 400 else 2
        words = f"There have been too many calls with {self.secrets['META_TOKEN']}"
        error = {"message": words, "type": "OAuthException", "code": number, "fbtrace_id": "x"}
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return JSONResponse({"error": error}, fault.status, headers)

    def _check(self, request: Request, proof: str) -> None:
        token = self.secrets["META_TOKEN"]
        assert request.headers["user-agent"].startswith("fbbizsdk-python-"), "its library calls"
        assert "access_token" not in str(request.url)
        assert request.headers["authorization"] == f"Bearer {token}"
        assert proof == hmac.new(self.secrets["META_APP"].encode(), token.encode(), hashlib.sha256).hexdigest()

    async def _get(self, request: Request, body: bytes) -> Response:
        query = request.query_params
        self._check(request, query["appsecret_proof"])
        assert query["fields"] == "id,status,daily_budget,adlabels{id,name}"
        return JSONResponse({number: self._shown(number) for number in query["ids"].split(",")})

    def _shown(self, number: str) -> dict[str, Any]:
        node = self.nodes[number]
        labels = [{"id": each, "name": self.labels[each]} for each in node["labels"]]
        return {"id": number, "status": node["status"], "daily_budget": node["daily_budget"], "adlabels": labels}

    async def _post(self, request: Request, body: bytes) -> Response:
        form = {name: value[0] for name, value in parse_qs(body.decode()).items()}
        self._check(request, form.pop("appsecret_proof"))
        number = request.path_params["campaign"]
        before = self._shown(number)
        labels = [
            each["id"] if "id" in each else self._label(each["name"]) for each in json.loads(form.pop("adlabels"))
        ]
        self.nodes[number] |= {**form, "labels": labels}
        self.changes += self._shown(number) != before
        return JSONResponse({"success": True})

    def _label(self, name: str) -> str:
        known = [number for number, each in self.labels.items() if each == name]
        number = known[0] if known else str(len(self.labels) + 1)
        self.labels[number] = name
        return number
