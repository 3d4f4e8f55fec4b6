"""What the adapters of advertising platforms share: an order becomes changes of the campaigns of its target."""

import re
from abc import abstractmethod
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar, Final

from schemas.channels import WantedState
from services.channel_control.adapter import Adapter, Exchange, Options
from services.channel_control.enforcing.reconcile import Answer, Trouble
from services.channel_control.platforms.campaigns import Campaign, Change, changes, shown

_CODE: Final = re.compile(r"^[A-Za-z_]{1,60}$|^\d{1,10}$")
_ID: Final = re.compile(r"^\d{1,20}$")


class CampaignAdapter(Adapter):
    """`unit`: the steps of a budget, in what the platform counts it in."""

    unit: ClassVar[int] = 1

    def __init__(self, options: Options, now: Callable[[], datetime]) -> None:
        """No campaign platform of ours needs the time."""

    def apply(self, wanted: WantedState, campaigns: tuple[str, ...], key: str) -> Exchange[Trouble | None]:
        """Reads, and changes what is not as wanted. Platforms have no "only if unchanged", so the generation is looked
        at just before; what comes between is found when the target is read again."""
        present = yield from self._present(campaigns)
        if isinstance(present, Trouble):
            return present
        if shown(wanted.target, present, self.unit).state == wanted:
            return None
        made = changes(present, wanted, self.unit)
        if isinstance(made, Trouble):
            return made
        # What an attempt that ran out of time has done already is not done again, so that the rest gets its turn.
        left = [each for each in made if shown(wanted.target, [each.campaign], self.unit).state != wanted]
        return (yield from self._carry_out(left))

    def read(self, target: str, campaigns: tuple[str, ...]) -> Exchange[Answer]:
        """Reads the campaigns and the notes beside them."""
        present = yield from self._present(campaigns)
        return present if isinstance(present, Trouble) else shown(target, present, self.unit)

    def _present(self, campaigns: tuple[str, ...]) -> Exchange[list[Campaign] | Trouble]:
        if not campaigns:
            return Trouble(
                "unmapped", "the directory names no campaign for this target", zh="名录未给出该对象的广告计划"
            )
        if not all(map(_ID.match, campaigns)):
            return Trouble(
                "unmapped", "the directory names a campaign that is no number", zh="名录中的广告计划编号不是数字"
            )
        found = yield from self._read(tuple(dict.fromkeys(campaigns)))
        if isinstance(found, Trouble):
            return found
        missing = set(campaigns) - {campaign.id for campaign in found}
        if missing:
            first = min(missing)
            return Trouble("no_campaign", f"campaign {first} is not there", zh=f"平台上没有广告计划 {first}")
        return found

    @abstractmethod
    def _read(self, campaigns: tuple[str, ...]) -> Exchange[list[Campaign] | Trouble]:
        """The campaigns with these ids that are there and have not been removed."""

    @abstractmethod
    def _carry_out(self, made: Sequence[Change]) -> Exchange[Trouble | None]:
        """Makes the changes, each one as a whole or not at all."""


def code(value: object) -> str:
    """A platform's short code for what is wrong; empty for anything longer, which might quote what was sent."""
    text = str(value)
    return text if _CODE.match(text) else ""
