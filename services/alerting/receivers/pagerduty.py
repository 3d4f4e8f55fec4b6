"""PagerDuty's Events API v2.

https://developer.pagerduty.com/docs/send-alert-event: the fields, a summary of at most 1,024 characters, a dedup_key of
at most 255. https://developer.pagerduty.com/docs/events-api-v2-overview: 202 when taken, 512 KB at most, 429 too fast;
https://developer.pagerduty.com/docs/rate-limits: about 120 events a minute for an integration key.
"""

from typing import Any, Final, Literal

from schemas.base import Severity
from services.alerting.receivers.fitting import cut, utf16
from services.alerting.receivers.notice import JSON, Notice, json_body
from services.alerting.receivers.plain import plain_text
from services.alerting.receivers.receiver import Receiver
from services.alerting.sending.pacing import Pace
from services.runtime.http.outgoing import Request
from services.runtime.http.urls import BaseUrl
from services.runtime.references import Secret

MAX_SUMMARY: Final = 1024
MAX_DETAILS: Final = 8000
_SEVERITIES: Final[dict[Severity, str]] = {"info": "info", "warning": "warning", "critical": "critical"}


class Pagerduty(Receiver):
    """A service. routing_key: of its integration. url: another one in the EU's region."""

    paces = (Pace(120, 60.0),)

    keeps_state = True

    kind: Literal["pagerduty"] = "pagerduty"
    routing_key: Secret
    url: BaseUrl = "https://events.pagerduty.com"

    def render(self, notice: Notice, now: float) -> Request:
        """A group of alerts is one incident there, whatever happens to it, and over when all of them are."""
        action = _action(notice)
        return self._event(notice, action, self._problem(notice) if action == "trigger" else {})

    def plain(self, notice: Notice, now: float) -> Request:
        """The incident with a summary and no details."""
        alert = notice.message.data
        problem = {"summary": plain_text(notice), "source": alert.subject, "severity": alert.severity}
        return self._event(notice, _action(notice), {"payload": problem})

    def _event(self, notice: Notice, action: str, problem: dict[str, Any]) -> Request:
        group = notice.due.group
        event = {
            "routing_key": self.routing_key.get_secret_value(),
            "event_action": action,
            "dedup_key": notice.message.data.alert_id if group is None else group.group_id,
            **problem,
        }
        return Request(f"{self.url}/v2/enqueue", JSON, json_body(event))

    def _problem(self, notice: Notice) -> dict[str, Any]:
        alert, read = notice.message.data, notice.words(self.zone)
        return {
            "payload": {
                "summary": cut(read.headline, MAX_SUMMARY, utf16),
                "source": alert.subject,
                "severity": _SEVERITIES[alert.severity],
                "timestamp": notice.message.timestamp.isoformat(),
                "class": alert.indicator,
                "custom_details": {"details": cut(read.rest, MAX_DETAILS), "level": alert.level},
            },
            "links": [{"href": url, "text": name} for name, url in notice.named_links()],
            "client": "Tidegate",
        }


def _action(notice: Notice) -> Literal["trigger", "acknowledge", "resolve"]:
    """What happens to the incident. News of one alert of which somebody has taken charge elsewhere calls nobody."""
    message, group = notice.message, notice.due.group
    if message.data.status == "resolved" and (group is None or group.open == 0):
        return "resolve"
    is_update = message.type == "alert.updated" and message.occasion == "news"
    return "acknowledge" if is_update and message.data.acknowledged_by is not None else "trigger"
