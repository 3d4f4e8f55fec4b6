"""Meta (Facebook, Instagram), Marketing API v26.0, through its official library. Not yet tried against the live
service.

- https://developers.facebook.com/docs/marketing-api/reference/ad-campaign-group       fields of a campaign, and updates
- https://developers.facebook.com/docs/marketing-api/overview/rate-limiting            codes, and when to come back
- https://developers.facebook.com/docs/graph-api/guides/secure-requests                appsecret_proof

Pause: `status`. Throttle: `daily_budget`, where the campaign has one of its own. The note is the name of an ad label;
each order leaves one more in the account, which may be deleted once no campaign has it. The token goes in a header: the
library would write it into every address.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import AfterValidator

from services.channel_control.adapter import Exchange, LibraryCall, Options, Response, refusal
from services.channel_control.enforcing.headers import header_text
from services.channel_control.enforcing.reconcile import Trouble
from services.channel_control.platforms.campaign_adapter import CampaignAdapter, code
from services.channel_control.platforms.campaigns import Campaign, Change, is_note, read_note
from services.runtime.http.urls import BaseUrl
from services.runtime.references import Secret

VERSION: Final = "v26.0"
FIELDS: Final = "id,status,daily_budget,adlabels{id,name}"
_GONE: Final = frozenset({"DELETED", "ARCHIVED"})
_TOO_MANY: Final = frozenset({4, 17, 32, 613, *range(80000, 80015)})
"""The error codes of its rate limits, which come with status 400 or 403."""
_BAD_ANSWER: Final = Trouble(
    "bad_answer", "the platform's answer is not what its documentation says", zh="平台的答复与其文档不符"
)


class MetaAdsOptions(Options):
    """`app_secret`: proves with each request that the token is used by its own app, if the app demands that."""

    url: BaseUrl = "https://graph.facebook.com"
    token: Annotated[Secret, AfterValidator(header_text)]
    app_secret: Secret | None = None


class MetaAds(CampaignAdapter):
    """Whatever campaigns the token may act on. Budgets are in the smallest unit of the account's currency."""

    kind = "meta_ads"
    options: ClassVar[type[Options]] = MetaAdsOptions
    tried = False
    library = "facebook-business"

    def __init__(self, options: Options, now: Callable[[], datetime]) -> None:
        assert isinstance(options, MetaAdsOptions)  # noqa: S101 - of this class, as the registry has it
        self._options = options
        self.url = options.url

    def _read(self, campaigns: tuple[str, ...]) -> Exchange[list[Campaign] | Trouble]:
        response = yield self._call("GET", {"ids": ",".join(campaigns), "fields": FIELDS})
        if (trouble := _trouble(response)) is not None:
            return trouble
        try:
            nodes = json.loads(response.body)
            return [_understood(node) for node in nodes.values() if node["status"] not in _GONE]
        except (KeyError, TypeError, ValueError, AttributeError):
            return _BAD_ANSWER

    def _carry_out(self, made: Sequence[Change]) -> Exchange[Trouble | None]:
        """One request for each campaign."""
        for change in made:
            # An update names all labels of a campaign, so those of others are named with ours.
            labels = [*json.loads(change.campaign.there["labels"]), {"name": change.note.text()}]
            params: dict[str, Any] = {"status": "ACTIVE" if change.on else "PAUSED", "adlabels": labels}
            if change.budget is not None:
                params["daily_budget"] = change.budget
            response = yield self._call("POST", params, change.campaign.id)
            if (trouble := _trouble(response)) is not None:
                return trouble
        return None

    def _call(self, method: str, params: dict[str, Any], path: str = "") -> LibraryCall:
        headers = {"Authorization": f"Bearer {self._options.token.get_secret_value()}"}
        return LibraryCall(method, params | self._proof(), headers, path)

    def _proof(self) -> dict[str, str]:
        if self._options.app_secret is None:
            return {}
        key, token = self._options.app_secret.get_secret_value(), self._options.token.get_secret_value()
        return {"appsecret_proof": hmac.new(key.encode(), token.encode(), hashlib.sha256).hexdigest()}


def _understood(node: dict[str, Any]) -> Campaign:
    """A campaign in an answer. Raises KeyError, TypeError, ValueError or AttributeError for what is none."""
    labels = node.get("adlabels", [])
    notes = [note for label in labels if (note := read_note(str(label["name"]))) is not None]
    newest = max(notes, key=lambda note: note.generation, default=None)
    budget = int(node["daily_budget"]) if "daily_budget" in node else None
    others = [{"id": str(label["id"])} for label in labels if not is_note(str(label["name"]))]
    return Campaign(str(node["id"]), node["status"] == "ACTIVE", budget, newest, {"labels": json.dumps(others)})


def _trouble(response: Response) -> Trouble | None:
    """What an answer says went wrong, in its own number, and how long to wait where it says so."""
    refused = refusal(response)
    if refused is None:
        return None
    try:
        number = json.loads(response.body)["error"]["code"]
    except (KeyError, TypeError, ValueError):
        return refused
    if number in _TOO_MANY:
        wait_s = max(refused.retry_after_s, _regained_after(response))
        text = f"the platform says that there were too many calls ({code(number)})"
        return Trouble("rate_limited", text, wait_s, zh=f"平台称调用过于频繁（{code(number)}）")
    return refusal(response, code(number))


def _regained_after(response: Response) -> float:
    """Seconds until calls are taken again; the header counts in minutes, for each account and kind of call."""
    try:
        usage = json.loads(response.headers.get("x-business-use-case-usage", "{}"))
        minutes = [int(each["estimated_time_to_regain_access"]) for account in usage.values() for each in account]
        return 60.0 * max(minutes, default=0)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError):
        return 0.0
