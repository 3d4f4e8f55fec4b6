"""Google Ads as its REST documentation describes it, behind gRPC: two campaigns, their budgets and labels in one
account."""

import copy
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.support.platforms.grpc_front import fronting
from tests.support.platforms.standing import Fault, StandIn, Truth

ACCOUNT = "1234567890"
HOME = f"customers/{ACCOUNT}"
FULL = {"17": 50_000_000, "18": 30_010_000}
"""The budgets before anybody came, in micros."""


@dataclass
class Account:
    """What a mutate changes as a whole, or not at all. Resource names are the keys."""

    campaigns: dict[str, dict[str, Any]] = field(default_factory=dict)
    budgets: dict[str, dict[str, Any]] = field(default_factory=dict)
    labels: dict[str, dict[str, Any]] = field(default_factory=dict)


class GoogleAdsPlatform(StandIn):
    kind = "google_ads"
    secrets = {"GA_DEV": "developer-token-1", "GA_CLIENT": "client-secret-2", "GA_REFRESH": "refresh-token-3"}
    campaigns = ("17", "18")

    def __init__(self) -> None:
        super().__init__()
        self.account = Account()
        self.access_token = "access-token-0"
        self.token_url = ""
        self.shared = False
        for number, amount in FULL.items():
            name, budget = f"{HOME}/campaigns/{number}", f"{HOME}/campaignBudgets/9{number}"
            self.account.campaigns[name] = {"id": number, "status": "ENABLED", "budget": budget}
            self.account.budgets[budget] = {"amountMicros": str(amount)}

    def entry(self, url: str) -> dict[str, Any]:
        secrets = {"developer_token": "env:GA_DEV", "client_secret": "env:GA_CLIENT", "refresh_token": "env:GA_REFRESH"}
        there = {"url": url, "token_url": self.token_url, "customer": ACCOUNT, "manager": "9999999999"}
        return {"kind": self.kind, "client_id": "client.apps", **there, **secrets}

    @asynccontextmanager
    async def front(self, url: str) -> AsyncIterator[str]:
        self.token_url = f"{url}/token"
        async with fronting(f"{url}/v26/{HOME}/googleAds") as grpc_url:
            yield grpc_url

    def routes(self) -> list[Route]:
        home = f"/v26/{HOME}/googleAds"
        return [
            Route("/token", self._token, methods=["POST"]),
            self.route(f"{home}:search", self._search, "POST"),
            self.route(f"{home}:mutate", self._mutate, "POST", writes=True),
        ]

    def truth(self) -> Truth:
        on = {each["status"] == "ENABLED" for each in self.account.campaigns.values()}
        if on == {False}:
            return "paused", 0.0
        assert on == {True}
        now = sum(int(each["amountMicros"]) for each in self.account.budgets.values())
        factor = round(now / sum(FULL.values()), 2)
        return ("running" if factor == 1 else "throttled"), factor

    def by_hand(self, *, on: bool) -> None:
        for each in self.account.campaigns.values():
            each["status"] = "ENABLED" if on else "PAUSED"

    def rate_limit(self) -> Fault:
        return Fault("fail", 429)

    def refusal(self, fault: Fault) -> Response:
        quota = {"rateName": "Requests per account", "rateScope": "ACCOUNT", "retryDelay": "7s"}
        failure = {"errorCode": {"quotaError": "RESOURCE_EXHAUSTED"}, "details": {"quotaErrorDetails": quota}}
        details = [
            {"@type": "type.googleapis.com/google.ads.googleads.v26.errors.GoogleAdsFailure", "errors": [failure]}
        ]
        words = f"Too many requests with the token {self.access_token}. Retry in 7 seconds."
        status = "RESOURCE_EXHAUSTED" if fault.status == 429 else "UNAVAILABLE"
        more = details if fault.status == 429 else []
        body = {"error": {"code": fault.status, "message": words, "status": status, "details": more}}
        return JSONResponse(body, fault.status)

    def pretend(self, body: bytes) -> Response:
        return JSONResponse({"mutateOperationResponses": [{} for _ in json.loads(body)["mutateOperations"]]})

    async def _token(self, request: Request) -> Response:
        form = {name: value[0] for name, value in parse_qs((await request.body()).decode()).items()}
        assert form["grant_type"] == "refresh_token"
        if (form["client_secret"], form["refresh_token"]) != (self.secrets["GA_CLIENT"], self.secrets["GA_REFRESH"]):
            return JSONResponse({"error": "invalid_grant", "error_description": "Bad Request"}, 400)
        number = int(self.access_token.rpartition("-")[2])
        self.access_token = f"access-token-{number + 1}"
        return JSONResponse({"access_token": self.access_token, "expires_in": 3599, "token_type": "Bearer"})

    def _stranger(self, request: Request) -> Response | None:
        assert request.headers["developer-token"] == self.secrets["GA_DEV"]
        assert request.headers["login-customer-id"] == "9999999999"
        if request.headers["authorization"] == f"Bearer {self.access_token}":
            return None
        return JSONResponse({"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "no"}}, 401)

    async def _search(self, request: Request, body: bytes) -> Response:
        if (stranger := self._stranger(request)) is not None:
            return stranger
        query = json.loads(body)["query"]
        asked = re.search(r"FROM (\w+) WHERE .* IN \(([^)]*)\)", query)
        assert asked is not None
        wanted = [each.strip().strip("'") for each in asked[2].split(",")]
        rows = self._campaigns(wanted) if asked[1] == "campaign" else self._labels(wanted)
        return JSONResponse({"results": rows, "fieldMask": "…"} if rows else {"fieldMask": "…"})

    def _campaigns(self, wanted: list[str]) -> list[dict[str, Any]]:
        return [
            {
                "campaign": {"resourceName": name, "id": each["id"], "status": each["status"]},
                "campaignBudget": {
                    "resourceName": each["budget"],
                    "explicitlyShared": self.shared,
                    **self.account.budgets[each["budget"]],
                },
            }
            for name, each in self.account.campaigns.items()
            if each["id"] in wanted
        ]

    def _labels(self, wanted: list[str]) -> list[dict[str, Any]]:
        labels = self.account.labels.items()
        return [{"label": {"resourceName": name, **each}} for name, each in labels if each["name"] in wanted]

    async def _mutate(self, request: Request, body: bytes) -> Response:
        if (stranger := self._stranger(request)) is not None:
            return stranger
        after = copy.deepcopy(self.account)
        operations = json.loads(body)["mutateOperations"]
        for operation in operations:
            ((kind, content),) = operation.items()
            if not _apply(after, kind, content):
                details = {"code": 400, "status": "INVALID_ARGUMENT", "message": f"label {content}"}
                return JSONResponse({"error": details}, 400)
        self.changes += after != self.account
        self.account = after
        return JSONResponse({"mutateOperationResponses": [{} for _ in operations]})


def _apply(account: Account, kind: str, content: dict[str, Any]) -> bool:
    kinds = {
        "campaignOperation": (account.campaigns, {"status"}),
        "campaignBudgetOperation": (account.budgets, {"amountMicros"}),
        "labelOperation": (account.labels, {"textLabel.description"}),
    }
    resources, may = kinds[kind]
    if "create" in content:
        new = content["create"]
        assert kind == "labelOperation"
        assert len(new["name"]) <= 80
        if new["name"] in [each["name"] for each in account.labels.values()]:
            return False
        resources[f"{HOME}/labels/{len(resources) + 1}"] = new
        return True
    update, mask = content["update"], set(content["updateMask"].split(","))
    assert mask <= may
    resources[update["resourceName"]] |= {name: value for name, value in update.items() if name != "resourceName"}
    return True
