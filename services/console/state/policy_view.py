"""The policy in force as the topic `policy` tells it, ready to scan and to name by. Pure."""

from zoneinfo import ZoneInfo

from schemas.alerting import PlannedSilence
from schemas.directory import Directory
from schemas.policy import Policy, PolicyRef
from services.console.state.complaints import Deadlines
from services.scanning.report import Figures, figures_in
from services.scanning.scanner import Scanner

ACTIVE = "active"


class PolicyInForce:
    """Follows the topic; a document that is none never takes the place of a good one.

    label: `name/version`, None while no policy is in force. document: the whole policy, until then the defaults.
    """

    def __init__(self) -> None:
        self.label: str | None = None
        self.document = Policy(version=1)
        self.directory = Directory()
        self.silences: list[PlannedSilence] = []
        self.zone = ZoneInfo(self.document.time_zone)
        self.figures = Figures()
        self.scanner: Scanner | None = None
        self.deadlines: Deadlines | None = None
        self._documents: dict[str, bytes] = {}
        self._wanted: str | None = None

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Takes in one record; raises ValueError for one that cannot come into force though it should."""
        name = key.decode()
        if name == ACTIVE:
            ref = PolicyRef.model_validate_json(value or b"")
            self._wanted = f"{ref.name}/{ref.version}"
        elif value is None:
            self._documents.pop(name, None)
        else:
            self._documents[name] = value
        if self._wanted in self._documents and self._wanted != self.label and name in (ACTIVE, self._wanted):
            self._adopt(self._wanted)

    def _adopt(self, label: str) -> None:
        policy = Policy.model_validate_json(self._documents[label])
        if policy.label != label:
            raise ValueError(f"the document under {label} says that it is {policy.label}")
        self.figures, self.scanner, self.label = figures_in(policy), Scanner(policy.content), label
        self.document = policy
        self.directory, self.zone = policy.directory, ZoneInfo(policy.time_zone)
        self.silences, self.deadlines = policy.alerting.silences, Deadlines(policy)
