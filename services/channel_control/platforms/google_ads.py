"""Google Ads, API v26, through its official library. Not yet tried against the live service.

- https://developers.google.com/google-ads/api/docs/query/overview       GAQL
- https://developers.google.com/google-ads/api/docs/mutating/bulk-mutate all operations or none
- https://developers.google.com/google-ads/api/rest/auth                 headers, and the refresh of access tokens
- https://developers.google.com/google-ads/api/reference/rpc/v26/QuotaErrorDetails

Pause: `campaign.status`. Throttle: `campaign_budget.amount_micros`, unless other campaigns share the budget. The note
is the description of a label `tidegate <campaign>`. The access token is fetched here and not by the library, which
would try three times by itself, in a thread, and tell a refusal in a sentence.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final
from urllib.parse import urlencode, urlsplit

from pydantic import AfterValidator, Field

from services.channel_control.adapter import Exchange, LibraryCall, Options, Response, refusal
from services.channel_control.enforcing.headers import header_text
from services.channel_control.enforcing.reconcile import Trouble
from services.channel_control.platforms.campaign_adapter import CampaignAdapter, code
from services.channel_control.platforms.campaigns import Campaign, Change, read_note
from services.runtime.http.outgoing import Request
from services.runtime.http.urls import BaseUrl
from services.runtime.references import Secret

CENT: Final = 10_000
"""Micros; a budget is a whole number of the currency's smallest unit."""

_CAMPAIGNS: Final = (
    "SELECT campaign.resource_name, campaign.id, campaign.status, campaign_budget.resource_name, "
    "campaign_budget.amount_micros, campaign_budget.explicitly_shared "
    "FROM campaign WHERE campaign.status != 'REMOVED' AND campaign.id IN ({})"
)
_LABELS: Final = (
    "SELECT label.resource_name, label.name, label.text_label.description "
    "FROM label WHERE label.status = 'ENABLED' AND label.name IN ({})"
)
_DELAY: Final = re.compile(r"^\d{1,7}(\.\d{1,9})?s$")
_BAD_ANSWER: Final = Trouble(
    "bad_answer", "the platform's answer is not what its documentation says", zh="平台的答复与其文档不符"
)


def _no_path(url: str) -> str:
    if urlsplit(url).path:
        raise ValueError("must be an address without a path")
    return url


class GoogleAdsOptions(Options):
    """`customer`: the account that the campaigns are in. `manager`: the account through which we may act on it.

    `url`: a host and no path, which gRPC has not.
    """

    url: Annotated[BaseUrl, AfterValidator(_no_path)] = "https://googleads.googleapis.com"
    token_url: BaseUrl = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    customer: Annotated[str, Field(pattern=r"^\d{10}$")]
    manager: Annotated[str, Field(pattern=r"^\d{10}$")] | None = None
    developer_token: Annotated[Secret, AfterValidator(header_text)]
    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Secret
    refresh_token: Secret


class GoogleAds(CampaignAdapter):
    """One customer account."""

    kind = "google_ads"
    options: ClassVar[type[Options]] = GoogleAdsOptions
    tried = False
    library = "google-ads"
    unit = CENT

    def __init__(self, options: Options, now: Callable[[], datetime]) -> None:
        assert isinstance(options, GoogleAdsOptions)  # noqa: S101 - of this class, as the registry has it
        self._options = options
        self.url = options.url
        self._access_token: str | None = None

    def _read(self, campaigns: tuple[str, ...]) -> Exchange[list[Campaign] | Trouble]:
        rows = yield from self._search(_CAMPAIGNS.format(", ".join(campaigns)))
        if isinstance(rows, Trouble):
            return rows
        labels = yield from self._search(_LABELS.format(", ".join(f"'{_label(each)}'" for each in campaigns)))
        if isinstance(labels, Trouble):
            return labels
        try:
            known = {row["label"]["name"]: row["label"] for row in labels}
            return [_understood(row, known) for row in rows]
        except (KeyError, TypeError, ValueError, AttributeError):
            return _BAD_ANSWER

    def _carry_out(self, made: Sequence[Change]) -> Exchange[Trouble | None]:
        """All in one request, in which all operations succeed or none does."""
        operations = [operation for change in made for operation in _operations(change)]
        answer = yield from self._call("mutate", {"mutateOperations": operations})
        return answer if isinstance(answer, Trouble) else None

    def _search(self, query: str) -> Exchange[list[Any] | Trouble]:
        answer = yield from self._call("search", {"query": query})
        if isinstance(answer, Trouble):
            return answer
        rows = answer.get("results", [])
        return rows if isinstance(rows, list) else _BAD_ANSWER

    def _call(self, method: str, body: dict[str, Any]) -> Exchange[dict[str, Any] | Trouble]:
        """One call; with a new access token where there is none, or it is over."""
        for fresh in (False, True):
            if fresh or self._access_token is None:
                refused = yield from self._refresh()
                if refused is not None:
                    return refused
            response = yield LibraryCall(method, {"customerId": self._options.customer, **body}, self._headers())
            if response.status != 401:
                break
        if (trouble := _trouble(response)) is not None:
            return trouble
        return _json(response) or {}

    def _headers(self) -> dict[str, str]:
        token = self._options.developer_token.get_secret_value()
        headers = {"authorization": f"Bearer {self._access_token}", "developer-token": token}
        if self._options.manager is not None:
            headers["login-customer-id"] = self._options.manager
        return headers

    def _refresh(self) -> Exchange[Trouble | None]:
        form = {
            "grant_type": "refresh_token",
            "client_id": self._options.client_id,
            "client_secret": self._options.client_secret.get_secret_value(),
            "refresh_token": self._options.refresh_token.get_secret_value(),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        response = yield Request(self._options.token_url, headers, urlencode(form).encode())
        answer = _json(response) or {}
        refused = refusal(response, code(answer.get("error", "")))
        token = answer.get("access_token")
        if refused is None and isinstance(token, str) and token.isascii() and token.isprintable():
            self._access_token = token
            return None
        return refused or Trouble("bad_answer", "the platform gave no access token", zh="平台未给出访问令牌")


def _label(campaign: str) -> str:
    return f"tidegate {campaign}"


def _understood(row: dict[str, Any], labels: dict[str, Any]) -> Campaign:
    """A campaign in an answer. Raises KeyError, TypeError, ValueError or AttributeError for what is none."""
    campaign, budget = row["campaign"], row.get("campaignBudget", {})
    number = str(campaign["id"])
    there = {"campaign": str(campaign["resourceName"])}
    amount: int | None = None
    if not budget.get("explicitlyShared", False) and "amountMicros" in budget:
        there["budget"], amount = str(budget["resourceName"]), int(budget["amountMicros"])
    note = None
    if (label := labels.get(_label(number))) is not None:
        there["label"] = str(label["resourceName"])
        note = read_note(str(label.get("textLabel", {}).get("description", "")))
    return Campaign(number, campaign["status"] == "ENABLED", amount, note, there)


def _operations(change: Change) -> Iterator[dict[str, Any]]:
    """One campaign's part of a mutate."""
    there = change.campaign.there
    status = {"resourceName": there["campaign"], "status": "ENABLED" if change.on else "PAUSED"}
    yield {"campaignOperation": {"update": status, "updateMask": "status"}}
    if change.budget is not None and "budget" in there:
        amount = {"resourceName": there["budget"], "amountMicros": str(change.budget)}
        yield {"campaignBudgetOperation": {"update": amount, "updateMask": "amountMicros"}}
    text = {"textLabel": {"description": change.note.text()}}
    if "label" in there:
        label = {"resourceName": there["label"], **text}
        yield {"labelOperation": {"update": label, "updateMask": "textLabel.description"}}
    else:
        yield {"labelOperation": {"create": {"name": _label(change.campaign.id), **text}}}


def _json(response: Response) -> dict[str, Any] | None:
    try:
        found = json.loads(response.body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _trouble(response: Response) -> Trouble | None:
    """What an answer says went wrong, in its own code, and how long to wait where it says so."""
    body = _json(response)
    if 200 <= response.status < 300:
        return None if body is not None else _BAD_ANSWER
    error = (body or {}).get("error", {})
    status = code(error.get("status", "")) if isinstance(error, dict) else ""
    return refusal(response, status, _retry_delay(error))


def _retry_delay(error: Any) -> float:
    """Seconds (`"12s"`) in the QuotaErrorDetails of a GoogleAdsFailure."""
    try:
        parts = [each["details"]["quotaErrorDetails"] for detail in error["details"] for each in detail["errors"]]
        return max(float(part["retryDelay"].removesuffix("s")) for part in parts if _DELAY.match(part["retryDelay"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return 0.0
