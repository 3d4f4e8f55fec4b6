"""The document of the platform's protocol says what the stand-in, which channel_control is tried against, does."""

from typing import Any

import httpx
import pytest

from deploy.demo.platform import build_app
from deploy.demo.platform_state import Fault, PlatformState
from schemas.channels import WantedState
from schemas.platform_api import platform_api

PATH = "/v1/targets/{target}"
WANTED = WantedState(target="channel:a", status="paused", factor=0.0, generation=2)


def test_every_reference_leads_somewhere() -> None:
    document = platform_api()

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [found for value in part.values() for found in references(value)]
        return [found for value in part for found in references(value)] if isinstance(part, list) else []

    assert set(references(document)) == {"#/components/schemas/WantedState"}
    assert document["components"]["schemas"]["WantedState"] == WantedState.model_json_schema()


@pytest.mark.parametrize("method", ["put", "get"])
@pytest.mark.parametrize("case", ["well", "unknown", "older", "nonsense", "stranger", "later"])
async def test_the_stand_in_answers_nothing_that_is_not_in_the_document(method: str, case: str) -> None:
    state = PlatformState()
    if case != "unknown":
        state.put(WANTED.model_copy(update={"generation": 9 if case == "older" else 1}))
    if case == "later":
        state.faults.append(Fault(kind="fail", status=429, retry_after=3))
    app = build_app(state, "token" if case == "stranger" else None)
    body = b"{}" if case == "nonsense" else WANTED.model_dump_json().encode()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://platform") as client:
        answer = await client.request(method, "/v1/targets/channel%3Aa", content=body)
    described = platform_api()["paths"][PATH][method]["responses"]
    assert str(answer.status_code) in described
    if "content" in described[str(answer.status_code)]:
        WantedState.model_validate_json(answer.content)
