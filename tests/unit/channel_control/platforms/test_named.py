"""What is particular to one named platform, with answers written by hand."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from schemas.channels import TargetStatus, WantedState
from services.channel_control.adapter import Adapter, Exchange, LibraryCall, Response
from services.channel_control.enforcing.reconcile import Seen, Trouble
from services.channel_control.platforms.google_ads import GoogleAds, GoogleAdsOptions
from services.channel_control.platforms.meta_ads import MetaAds, MetaAdsOptions
from services.runtime.http.outgoing import Request

HOME = "customers/1234567890"
SECRET = SecretStr("s3cret")


def wanted(status: TargetStatus, factor: float) -> WantedState:
    return WantedState(target="channel:a", status=status, factor=factor, generation=3)


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def google() -> Adapter:
    return GoogleAds(
        GoogleAdsOptions.model_construct(
            url="https://ads", token_url="https://token", customer="1234567890", manager=None,
            developer_token=SECRET, client_id="c", client_secret=SECRET, refresh_token=SECRET,
        ),
        now,
    )  # fmt: skip


def meta() -> Adapter:
    return MetaAds(MetaAdsOptions.model_construct(url="https://meta", token=SECRET, app_secret=None), now)


def answered(body: Any, status: int = 200, **headers: str) -> Response:
    return Response(status, headers, json.dumps(body).encode())


def run(exchange: Exchange[Any], *answers: Response) -> tuple[Any, list[Request | LibraryCall]]:
    """What comes of it, and what was sent; the answers are as many as the requests."""
    left: Iterator[Response] = iter(answers)
    requests = [next(exchange)]
    while True:
        try:
            requests.append(exchange.send(next(left)))
        except StopIteration as end:
            assert next(left, None) is None
            return end.value, requests


def campaign(**budget: Any) -> Response:
    row = {
        "campaign": {"resourceName": f"{HOME}/campaigns/17", "id": "17", "status": "ENABLED"},
        "campaignBudget": {"resourceName": f"{HOME}/campaignBudgets/9", **budget},
    }
    return answered({"results": [row]})


def where(request: Request | LibraryCall) -> str:
    return request.url if isinstance(request, Request) else request.path or request.method


def params(request: Request | LibraryCall) -> Any:
    assert isinstance(request, LibraryCall)
    return request.params


TOKEN = answered({"access_token": "t1"})
NONE = answered({})


def test_an_access_token_is_fetched_once_and_again_when_it_is_over() -> None:
    adapter = google()
    _, first = run(adapter.read("channel:a", ("17",)), TOKEN, campaign(), NONE)
    assert [where(request) for request in first] == ["https://token", "search", "search"]
    _, second = run(
        adapter.read("channel:a", ("17",)), answered({}, 401), answered({"access_token": "t2"}), campaign(), NONE
    )
    assert [request.headers.get("authorization") for request in second] == [
        "Bearer t1", None, "Bearer t2", "Bearer t2",
    ]  # fmt: skip


def test_a_refresh_that_is_refused_is_told_by_its_code() -> None:
    refused = answered({"error": "invalid_grant", "error_description": "Token s3cret has been revoked."}, 400)
    result, _ = run(google().read("channel:a", ("17",)), refused)
    assert result == Trouble("http_400", "the platform answered 400 (invalid_grant)")


def test_a_token_that_stays_refused_is_not_fetched_for_ever() -> None:
    stranger = answered({"error": {"status": "UNAUTHENTICATED"}}, 401)
    result, _ = run(google().read("channel:a", ("17",)), TOKEN, stranger, TOKEN, stranger)
    assert result == Trouble("http_401", "the platform answered 401 (UNAUTHENTICATED)")


def test_a_budget_that_campaigns_share_is_not_cut() -> None:
    shared = campaign(amountMicros="5000000", explicitlyShared=True)
    result, requests = run(google().apply(wanted("throttled", 0.5), ("17",), "k"), TOKEN, shared, NONE)
    assert result == Trouble("no_budget", "campaign 17 has no daily budget of its own that could be cut")
    result, requests = run(google().apply(wanted("paused", 0.0), ("17",), "k"), TOKEN, shared, NONE, NONE)
    assert result is None
    operations = [kind for operation in params(requests[-1])["mutateOperations"] for kind in operation]
    assert operations == ["campaignOperation", "labelOperation"]


@pytest.mark.parametrize("make", [google, meta])
@pytest.mark.parametrize(
    ("ids", "problem"),
    [((), "names no campaign for this target"), (("1 OR 1=1",), "names a campaign that is no number")],
)
def test_without_a_campaign_nothing_is_sent(make: Any, ids: tuple[str, ...], problem: str) -> None:
    exchange = make().read("channel:a", ids)
    with pytest.raises(StopIteration) as end:
        next(exchange)
    assert end.value.value == Trouble("unmapped", f"the directory {problem}")


def test_a_campaign_that_is_gone_is_named() -> None:
    result, _ = run(google().read("channel:a", ("17", "18")), TOKEN, campaign(), NONE)
    assert result == Trouble("no_campaign", "campaign 18 is not there")
    result, _ = run(meta().read("channel:a", ("17",)), answered({"17": {"id": "17", "status": "ARCHIVED"}}))
    assert result == Trouble("no_campaign", "campaign 17 is not there")


@pytest.mark.parametrize(
    "body", [[], {"17": []}, {"17": {"id": "17", "status": "ACTIVE", "daily_budget": "x"}}, {"17": None}]
)
def test_what_is_no_campaign_is_a_bad_answer(body: Any) -> None:
    result, _ = run(meta().read("channel:a", ("17",)), answered(body))
    assert isinstance(result, Trouble)
    assert result.kind == "bad_answer"


def test_labels_of_others_stay_and_our_old_one_goes() -> None:
    labels = [{"id": "1", "name": "spring"}, {"id": "2", "name": "tidegate 2 paused 0.0 on 5000"}]
    node = {"id": "17", "status": "PAUSED", "daily_budget": "5000", "adlabels": labels}
    result, requests = run(meta().apply(wanted("running", 1.0), ("17",), "k"), answered({"17": node}), NONE)
    assert result is None
    assert params(requests[-1])["adlabels"] == [{"id": "1"}, {"name": "tidegate 3 running 1.0 on 5000"}]
    assert params(requests[-1])["status"] == "ACTIVE"


def test_meta_says_in_minutes_when_to_come_back() -> None:
    usage = json.dumps({"123": [{"type": "ads_management", "estimated_time_to_regain_access": 5}]})
    error = answered({"error": {"code": 17, "message": "s3cret"}}, 400, **{"x-business-use-case-usage": usage})
    result, _ = run(meta().read("channel:a", ("17",)), error)
    assert result == Trouble("rate_limited", "the platform says that there were too many calls (17)", 300.0)


@pytest.mark.parametrize("wait", ["NaN", "Infinity", '"soon"', "[]", "null"])
def test_a_wait_that_is_no_number_is_left_to_the_back_off(wait: str) -> None:
    usage = f'{{"1": [{{"estimated_time_to_regain_access": {wait}}}]}}'
    error = answered({"error": {"code": 17}}, 400, **{"x-business-use-case-usage": usage})
    result, _ = run(meta().read("channel:a", ("17",)), error)
    assert result.retry_after_s == 0.0


def test_a_campaign_without_a_note_is_not_ours() -> None:
    assert run(google().read("channel:a", ("17",)), TOKEN, campaign(), NONE)[0] == Seen(None)


def test_an_attempt_goes_on_where_the_one_before_it_ran_out_of_time() -> None:
    """Else twenty campaigns, a request each, would never all be done within the deadline of one attempt."""
    ours = [{"id": "9", "name": "tidegate 3 paused 0.0 on 5000"}]
    nodes = {
        "170": {"id": "170", "status": "PAUSED", "daily_budget": "5000", "adlabels": ours},
        "180": {"id": "180", "status": "ACTIVE", "daily_budget": "3000"},
    }
    result, requests = run(meta().apply(wanted("paused", 0.0), ("170", "180"), "k"), answered(nodes), NONE)
    assert result is None
    assert [where(request) for request in requests[1:]] == ["180"]


def test_what_goes_to_and_fro_is_not_shown() -> None:
    assert "t1" not in repr(TOKEN), "it may be a token"
    _, requests = run(google().read("channel:a", ("17",)), TOKEN, campaign(), NONE)
    assert "s3cret" not in repr(requests)
    assert "t1" not in repr(requests)


def test_an_address_for_grpc_has_no_path() -> None:
    given = {"customer": "1234567890", "developer_token": "env:S", "client_id": "c"}
    given |= {"client_secret": "env:S", "refresh_token": "env:S", "url": "https://proxy.example/google"}
    with pytest.raises(ValidationError, match="without a path"):
        GoogleAdsOptions.model_validate(given, context={"environ": {"S": "s"}, "folder": Path()})
