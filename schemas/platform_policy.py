"""What follows when a platform shows something else than it had confirmed: a person changed it there, or it forgot."""

from typing import Literal

from schemas.closed import Closed

DriftAnswer = Literal["correct", "tell"]


class DriftPolicy(Closed):
    """looser: it lets more through than is wanted, so what is wanted is put again. stricter: it lets less through, as
    when somebody stopped it there by hand, which we tell of and leave.
    """

    looser: DriftAnswer = "correct"
    stricter: DriftAnswer = "tell"


class PlatformsPolicy(Closed):
    """Of all platforms."""

    drift: DriftPolicy = DriftPolicy()
