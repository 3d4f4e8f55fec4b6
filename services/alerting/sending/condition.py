"""Whether a receiver works, as its answers tell. Pure; times in seconds of a clock that never goes back."""

from dataclasses import dataclass
from typing import Final, Literal

from schemas.base import Bilingual
from services.alerting.sending.delivery import Answer

FAILING_S: Final = 900.0
"""How long every attempt must have failed before people are told by another way."""

NOTHING: Final = Bilingual(en="", zh="")
Ill = Literal["gone", "given_up", "failing"]


@dataclass(slots=True)
class Condition:
    """Of one receiver. problem: what was wrong with its last answer."""

    tried: bool = False
    gone: bool = False
    gave_up: bool = False
    failing_since: float | None = None
    problem: Bilingual = NOTHING

    def answered(self, answer: Answer, now: float) -> None:
        """It has answered, or not in time."""
        self.tried = True
        if answer.delivered:
            self.gave_up, self.failing_since, self.problem = False, None, NOTHING
            return
        self.gone = self.gone or answer.gone
        self.problem = answer.problem
        if self.failing_since is None:
            self.failing_since = now

    @property
    def works(self) -> bool:
        """Whether its last answer was good. One that has not been asked yet neither works nor does not."""
        return self.tried and self.failing_since is None and not self.gone

    def ill(self, now: float) -> Ill | None:
        """What people have to be told of it."""
        if self.gone:
            return "gone"
        if self.gave_up:
            return "given_up"
        if self.failing_since is not None and now - self.failing_since >= FAILING_S:
            return "failing"
        return None
