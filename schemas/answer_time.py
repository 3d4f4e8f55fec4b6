"""By when a complaint is to be answered: the part of the policy that a customer is told. Pure figures."""

from typing import Annotated, Final

from pydantic import Field

from schemas.calendar import HoursBasis
from schemas.closed import Closed
from schemas.policy import IndicatorPolicy, Policy

HOUR_MS: Final = 3_600_000
Hours = Annotated[float, Field(gt=0, le=400)]


class AnswerTime(Closed):
    """Names, defaults and bounds as under the policy's `complaint_sla.thresholds`."""

    hours: Hours = 48
    high_net_worth_hours: Hours = 2
    basis: HoursBasis = "natural"

    def wait_ms(self, *, high_net_worth: bool) -> int:
        """How long an answer may take, in time of the basis."""
        return round((self.high_net_worth_hours if high_net_worth else self.hours) * HOUR_MS)


def answer_time_in(policy: Policy) -> AnswerTime:
    """The policy's figures, without overrides; raises ValidationError where they are none."""
    given = policy.indicators.get("complaint_sla", IndicatorPolicy()).thresholds
    return AnswerTime.model_validate({name: given[name] for name in AnswerTime.model_fields if name in given})
