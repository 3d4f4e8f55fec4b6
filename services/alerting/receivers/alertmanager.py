"""Alertmanager's API v2.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml: a list of alerts with labels, annotations,
`startsAt` and `endsAt`; 200 when taken. https://prometheus.io/docs/alerting/latest/clients/: the labels identify an
alert, and one without `endsAt` would be over after `resolve_timeout`, since it is expected to be sent again and again.
"""

from datetime import datetime, timedelta
from typing import Any, Final, Literal

from schemas.alerts import AlertLine, AlertState, Change, WebhookMessage
from schemas.base import Severity
from services.alerting.receivers.fitting import cut
from services.alerting.receivers.notice import JSON, Notice, json_body
from services.alerting.receivers.receiver import Receiver
from services.alerting.receivers.words import spoken
from services.alerting.telling import SEVERITIES, is_over
from services.runtime.http.outgoing import Request
from services.runtime.http.urls import BaseUrl
from services.runtime.references import Secret

STANDS_FOR: Final = timedelta(days=30)
"""How long an alert stands there of whose end nobody tells: as long as the log of alerts is kept."""
MAX_TEXT: Final = 8000
BATCH: Final = 50
"""Alerts in one request, as many as a message names."""


class Alertmanager(Receiver):
    """A server, by the address before `/api/v2`. token: a bearer token, where a proxy before it wants one."""

    keeps_state = True

    kind: Literal["alertmanager"] = "alertmanager"
    url: BaseUrl
    token: Secret | None = None

    def render(self, notice: Notice, now: float) -> Request:
        """Each alert that the message names: there they are grouped anew. Of those after the first, the title."""
        message, read = notice.message, notice.words(self.zone)
        first = {
            "summary": cut(read.headline, MAX_TEXT),
            "description": cut(read.rest, MAX_TEXT),
            "runbook": message.data.runbook or "",
            "team": message.data.team or "",
        }
        if notice.links is not None:
            first["acknowledge"] = notice.links.acknowledge or ""
        posted = _alerts(message.data, message.type, message.timestamp, first)
        for line in _others(message):
            posted += _titled(line, line.change, notice)
        return self._post(posted, notice)

    def posts(self, notice: Notice, now: float) -> list[Request]:
        """Also those that the message has no line for: here each stands for itself, and nobody would hear of them."""
        batches = [notice.rest[at : at + BATCH] for at in range(0, len(notice.rest), BATCH)]
        more = [[one for alert in batch for one in _titled(alert, _change(alert), notice)] for batch in batches]
        return [self.render(notice, now), *(self._post(posted, notice) for posted in more)]

    def plain(self, notice: Notice, now: float) -> Request:
        """Every alert with its title alone."""
        message = notice.message
        told: list[tuple[AlertState | AlertLine, Change]] = [(message.data, message.type)]
        told += [(line, line.change) for line in _others(message)]
        told += [(alert, _change(alert)) for alert in notice.rest]
        at = message.timestamp
        posted = [one for alert, change in told for one in _alerts(alert, change, at, {"summary": alert.title.en})]
        return self._post(posted, notice)

    def _post(self, posted: list[dict[str, Any]], notice: Notice) -> Request:
        if notice.links is not None:
            posted = [{**each, "generatorURL": notice.links.alert} for each in posted]
        headers = JSON if self.token is None else {**JSON, "authorization": f"Bearer {self.token.get_secret_value()}"}
        return Request(f"{self.url}/api/v2/alerts", headers, json_body(posted))


def _others(message: WebhookMessage) -> list[AlertLine]:
    """The alerts that the message names besides the one that it tells as a whole."""
    lines = [] if message.group is None else message.group.alerts
    return [line for line in lines if line.alert_id != message.data.alert_id]


def _change(alert: AlertState) -> Change:
    return "alert.resolved" if is_over(alert) else "alert.updated"


def _titled(alert: AlertState | AlertLine, change: Change, notice: Notice) -> list[dict[str, Any]]:
    title = cut(spoken(alert.title, notice.due.language), MAX_TEXT)
    return _alerts(alert, change, notice.message.timestamp, {"summary": title})


def _alerts(
    alert: AlertState | AlertLine, change: Change, at: datetime, annotations: dict[str, str]
) -> list[dict[str, Any]]:
    """One alert, and the end of the same with other severities: a label has changed, so there it is another one."""
    ends = at + STANDS_FOR
    if change == "alert.resolved":
        ends = alert.resolved_at or at
    ended = [each for each in SEVERITIES if each != alert.severity] if change != "alert.opened" else []
    until: list[tuple[Severity, datetime]] = [*((each, at) for each in ended), (alert.severity, ends)]
    return [_posted(alert, severity, end, annotations) for severity, end in until]


def _posted(
    alert: AlertState | AlertLine, severity: Severity, ends: datetime, annotations: dict[str, str]
) -> dict[str, Any]:
    return {
        "labels": {
            "alertname": alert.indicator,
            "service": "tidegate",
            "subject": alert.subject,
            "severity": severity,
            "alert_id": alert.alert_id,
        },
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": alert.opened_at.isoformat(),
        "endsAt": max(ends, alert.opened_at).isoformat(),
    }
