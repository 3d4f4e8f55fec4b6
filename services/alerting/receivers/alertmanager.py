"""Alertmanager's API v2.

https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml: a list of alerts with labels, annotations,
`startsAt` and `endsAt`; 200 when taken. https://prometheus.io/docs/alerting/latest/clients/: the labels identify an
alert, and one without `endsAt` would be over after `resolve_timeout`, since it is expected to be sent again and again.
"""

from datetime import datetime, timedelta
from typing import Any, Final, Literal

from schemas.base import Severity
from services.alerting.receivers.fitting import cut
from services.alerting.receivers.notice import JSON, Notice, json_body
from services.alerting.receivers.receiver import Receiver, Secret
from services.alerting.telling import SEVERITIES
from services.runtime.outgoing import Request
from services.runtime.urls import BaseUrl

STANDS_FOR: Final = timedelta(days=30)
"""How long an alert stands there of whose end nobody tells: as long as the log of alerts is kept."""
MAX_TEXT: Final = 8000


class Alertmanager(Receiver):
    """A server, by the address before `/api/v2`. token: a bearer token, where a proxy before it wants one."""

    keeps_state = True

    kind: Literal["alertmanager"] = "alertmanager"
    url: BaseUrl
    token: Secret | None = None

    def render(self, notice: Notice, now: float) -> Request:
        """The alert, and the end of the same with other severities: a label has changed, so there it is another one."""
        message = notice.message
        alert = message.data
        over = alert.status == "resolved"
        others = [each for each in SEVERITIES if each != alert.severity] if message.type != "alert.opened" else []
        posted = [self._alert(notice, each, message.timestamp) for each in others]
        ends = (alert.resolved_at or message.timestamp) if over else alert.opened_at + STANDS_FOR
        posted.append(self._alert(notice, alert.severity, ends))
        headers = JSON if self.token is None else {**JSON, "authorization": f"Bearer {self.token.get_secret_value()}"}
        return Request(f"{self.url}/api/v2/alerts", headers, json_body(posted))

    def _alert(self, notice: Notice, severity: Severity, ends: datetime) -> dict[str, Any]:
        alert, read = notice.message.data, notice.words(self.zone)
        annotations = {
            "summary": cut(read.headline, MAX_TEXT),
            "description": cut(read.rest, MAX_TEXT),
            "runbook": alert.runbook or "",
            "team": alert.team or "",
        }
        if notice.links is not None and notice.links.acknowledge is not None:
            annotations["acknowledge"] = notice.links.acknowledge
        said: dict[str, Any] = {
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
        return said if notice.links is None else {**said, "generatorURL": notice.links.alert}
