"""Our requests to the named platforms, held against their official libraries: `pip install 'tidegate[official]'`."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from pydantic import SecretStr

from schemas.channels import WantedState
from services.channel_control.adapter import Exchange, Request, Response
from services.channel_control.platforms.google_ads import GoogleAds, GoogleAdsOptions
from services.channel_control.platforms.meta_ads import MetaAds, MetaAdsOptions
from services.channel_control.reconcile import Trouble

WANTED = WantedState(target="channel:a", status="throttled", factor=0.5, generation=3)


def now() -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC)


def sent(exchange: Exchange[Trouble | None], answers: list[dict[str, Any]]) -> list[Request]:
    """The requests of one order, each met with the next answer."""
    requests = [next(exchange)]
    for answer in answers:
        try:
            requests.append(exchange.send(Response(200, {}, json.dumps(answer).encode())))
        except StopIteration as end:
            assert end.value is None
    return requests


def test_google_reads_and_changes_what_its_library_knows() -> None:
    messages = pytest.importorskip("google.ads.googleads.v26.services.types.google_ads_service")
    json_format = pytest.importorskip("google.protobuf.json_format")
    secret = SecretStr("s")
    options = GoogleAdsOptions.model_construct(
        url="https://ads", token_url="https://token", customer="1234567890", manager=None,
        developer_token=secret, client_id="c", client_secret=secret, refresh_token=secret,
    )  # fmt: skip
    home = "customers/1234567890"
    rows = {
        "results": [
            {
                "campaign": {"resourceName": f"{home}/campaigns/17", "id": "17", "status": "ENABLED"},
                "campaignBudget": {"resourceName": f"{home}/campaignBudgets/9", "amountMicros": "5000000"},
            }
        ]
    }
    label = {"resourceName": f"{home}/labels/4", "name": "tidegate 17", "textLabel": {"description": "?"}}
    answers: list[dict[str, Any]] = [
        {"access_token": "t"},
        rows,
        {"results": [{"label": label}]},
        {"mutateOperationResponses": []},
    ]
    requests = sent(GoogleAds(options, now).apply(WANTED, ("17",), "k"), answers)
    for answer in answers[1:3]:
        json_format.ParseDict(answer, messages.SearchGoogleAdsResponse.pb(messages.SearchGoogleAdsResponse()))
    for request in requests[1:3]:
        json_format.Parse(request.body, messages.SearchGoogleAdsRequest.pb(messages.SearchGoogleAdsRequest()))
    mutate = messages.MutateGoogleAdsRequest()
    json_format.Parse(requests[3].body, messages.MutateGoogleAdsRequest.pb(mutate))
    campaign, budget, note = mutate.mutate_operations
    assert campaign.campaign_operation.update.status.name == "ENABLED"
    assert budget.campaign_budget_operation.update.amount_micros == 2_500_000
    assert list(budget.campaign_budget_operation.update_mask.paths) == ["amount_micros"]
    assert note.label_operation.update.text_label.description == "tidegate 3 throttled 0.5 on 5000000"
    assert list(note.label_operation.update_mask.paths) == ["text_label.description"]


def test_meta_is_asked_for_and_sent_what_its_library_knows() -> None:
    library = pytest.importorskip("facebook_business.adobjects.campaign")
    version = pytest.importorskip("facebook_business.apiconfig").ads_api_config["API_VERSION"]
    options = MetaAdsOptions.model_construct(url="https://meta", token=SecretStr("t"), app_secret=None)
    node = {"id": "17", "status": "ACTIVE", "daily_budget": "5000", "adlabels": [{"id": "1", "name": "spring"}]}
    read, update = sent(MetaAds(options, now).apply(WANTED, ("17",), "k"), [{"17": node}, {"success": True}])
    field, status = library.Campaign.Field, library.Campaign.Status
    assert read.url.startswith(f"https://meta/{version}/?ids=17&fields=")
    assert {field.id, field.status, field.daily_budget, field.adlabels} == set(node)
    form = dict(parse_qsl(update.body.decode()))
    assert set(form) == {field.status, field.daily_budget, field.adlabels}
    assert (form["status"], form["daily_budget"]) == (status.active, "2500")
    assert json.loads(form["adlabels"]) == [{"id": "1"}, {"name": "tidegate 3 throttled 0.5 on 5000"}]
