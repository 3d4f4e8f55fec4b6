"""What keeps people from being told: the policy in force, people's silences, and alerts that stand elsewhere.

Each comes with a record of its own on every partition of `alerts`, so a replay finds it at the same place. An alert of
one partition that inhibits others is made known to the rest by its machine, which all hear of it a moment later.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from schemas.alerting import SILENCE_KEY, Silence
from schemas.alerts import AlertState
from schemas.base import HexId, Versioned, to_ms
from schemas.policy import PolicyInForce
from schemas.topics import ALERTS
from services.alerting.groups.routing import UNTIL_TOLD, Rules, silenced_until
from services.alerting.telling import is_over
from services.runtime.machines.machine import Output, Record

POLICY_KEY: Final = b"policy"
STANDING_KEY: Final = b"standing"
MUTING_KEYS: Final = frozenset({POLICY_KEY, SILENCE_KEY, STANDING_KEY})
"""The keys of what is no fact."""

_SILENCE: Final = b"silence:"
_STANDING: Final = b"standing:"


class Muting:
    """See the module. `changed` is what a snapshot has to write."""

    def __init__(self, partition: int, partitions: int) -> None:
        self.rules = Rules(None)
        self.changed: dict[bytes, Versioned | None] = {}
        self._others = [each for each in range(partitions) if each != partition]
        self._silences: dict[HexId, Silence] = {}
        self._standing: dict[HexId, AlertState] = {}

    def quiet_until(self, alert: AlertState, now_ms: int) -> int:
        """0, or until when nobody is told of an alert."""
        if self.rules.is_inhibited(alert, self._standing.values()):
            return UNTIL_TOLD
        return max(self.rules.quiet_until(alert, now_ms), silenced_until(alert, self._silences, now_ms))

    def take(self, record: Record, alerts: Iterable[AlertState]) -> Iterator[Output]:
        """A record with a key of ours; `alerts` are those of this partition. Raises ValidationError."""
        if record.key == POLICY_KEY:
            in_force = PolicyInForce.model_validate_json(record.value)
            self.rules, self.changed[POLICY_KEY] = Rules(in_force.policy), in_force
            for alert in alerts:
                yield from self.announce(alert)
        elif record.key == SILENCE_KEY:
            silence = Silence.model_validate_json(record.value)
            self._silences[silence.silence_id] = self.changed[_SILENCE + silence.silence_id.encode()] = silence
        else:
            self._note(AlertState.model_validate_json(record.value))

    def announce(self, alert: AlertState, before: AlertState | None = None) -> Iterator[Output]:
        """Makes an alert known that inhibits others, or no longer does."""
        stands = not is_over(alert) and self.rules.is_source(alert)
        if stands != (alert.alert_id in self._standing) or (stands and before and before.severity != alert.severity):
            said = alert.model_copy(
                update={"evidence": None, "actions": []} | ({} if stands else {"status": "resolved"})
            )
            self._note(said)
            value = said.model_dump_json().encode()
            yield from (Output(ALERTS, STANDING_KEY, value, partition) for partition in self._others)

    def sweep(self, now_ms: int) -> None:
        """Forgets the silences that are over."""
        over = [each for each in self._silences.values() if each.until is None or to_ms(each.until) <= now_ms]
        for silence in over:
            del self._silences[silence.silence_id]
            self.changed[_SILENCE + silence.silence_id.encode()] = None

    def load(self, key: bytes, value: bytes) -> None:
        """Take over a record of a snapshot; one of another format raises a ValidationError."""
        if key == POLICY_KEY:
            self.rules = Rules(PolicyInForce.model_validate_json(value).policy)
        elif key.startswith(_SILENCE):
            silence = Silence.model_validate_json(value)
            self._silences[silence.silence_id] = silence
        else:
            alert = AlertState.model_validate_json(value)
            self._standing[alert.alert_id] = alert

    def _note(self, alert: AlertState) -> None:
        key = _STANDING + alert.alert_id.encode()
        if is_over(alert):
            self._standing.pop(alert.alert_id, None)
            self.changed[key] = None
        else:
            self._standing[alert.alert_id] = self.changed[key] = alert
