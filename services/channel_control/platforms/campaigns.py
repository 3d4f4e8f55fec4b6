"""Advertising campaigns, which know on and off and a daily budget, as carriers of our orders.

Their platforms keep no generation, and once a budget is cut nobody knows what it was. So both are written down beside
the campaign, in the same change that acts: a note that a person there can read, such as

    tidegate 12 throttled 0.5 on 500000        generation, what was wanted, and how the campaign was before us

A campaign that was off before us stays off when it is resumed, and a budget comes back as it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, cast, get_args

from schemas.channels import TargetStatus, WantedState
from services.channel_control.enforcing.reconcile import CONFLICT, Seen, Trouble

_WORD: Final = "tidegate"
_STOPPED: Final = frozenset({"paused", "frozen", "taken_down"})
_STATUSES: Final = frozenset(get_args(TargetStatus))


@dataclass(frozen=True, slots=True)
class Note:
    """What we wrote beside a campaign. `on`, `budget`: as it was before our first order that was not to run."""

    generation: int
    status: TargetStatus
    factor: float
    on: bool
    budget: int | None

    def text(self) -> str:
        """One line of ASCII, under 80 characters."""
        budget = "-" if self.budget is None else str(self.budget)
        return f"{_WORD} {self.generation} {self.status} {self.factor!r} {'on' if self.on else 'off'} {budget}"


def is_note(text: str) -> bool:
    """Whether a text on the platform is one of ours, readable or not."""
    return text.startswith(f"{_WORD} ")


def read_note(text: str) -> Note | None:
    """The note in a text; None where a person has changed it beyond reading."""
    try:
        word, generation, status, factor, on, budget = text.split(" ")
        if word != _WORD or status not in _STATUSES or on not in ("on", "off"):
            return None
        was = None if budget == "-" else int(budget)
        return Note(int(generation), cast(TargetStatus, status), float(factor), on == "on", was)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign as it stands.

    budget: a day's, in the platform's smallest unit; None: it has none of its own. there: what the platform calls the
    parts of it that a change is about.
    """

    id: str
    on: bool
    budget: int | None
    note: Note | None = None
    there: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What an order makes of a campaign; all of it in one request, or the note would lie."""

    campaign: Campaign
    on: bool
    budget: int | None
    note: Note


def share(budget: int, factor: float, unit: int) -> int:
    """That share of a budget in whole units, and at least one."""
    return max(unit, int(budget * factor) // unit * unit)


def change(campaign: Campaign, wanted: WantedState, unit: int) -> Change | Trouble:
    """What an order makes of a campaign, or why nothing."""
    before = campaign.note
    if before is not None and before.generation > wanted.generation:
        return Trouble(
            CONFLICT, f"campaign {campaign.id} has a newer generation", zh=f"广告计划 {campaign.id} 上的版本更新"
        )
    if before is None or (before.status == "running" and before.generation < wanted.generation):
        on, budget = campaign.on, campaign.budget
    else:
        on, budget = before.on, before.budget
    note = Note(wanted.generation, wanted.status, wanted.factor, on, budget)
    if wanted.status != "throttled":
        return Change(campaign, on and wanted.status not in _STOPPED, budget, note)
    if budget is None:
        text = f"campaign {campaign.id} has no daily budget of its own that could be cut"
        return Trouble("no_budget", text, zh=f"广告计划 {campaign.id} 没有可削减的单独日预算")
    return Change(campaign, on, share(budget, wanted.factor, unit), note)


def changes(campaigns: Sequence[Campaign], wanted: WantedState, unit: int) -> list[Change] | Trouble:
    """What an order makes of all campaigns of its target; the first that cannot be done stands for all."""
    made = [change(campaign, wanted, unit) for campaign in campaigns]
    troubles = [each for each in made if isinstance(each, Trouble)]
    return troubles[0] if troubles else [each for each in made if isinstance(each, Change)]


def shown(target: str, campaigns: Sequence[Campaign], unit: int) -> Seen:
    """What the campaigns of a target come to. Where they differ it is no state that anybody ever wants."""
    states = [state for campaign in campaigns if (state := _state(target, campaign, unit)) is not None]
    if len(states) < len(campaigns) or not states:
        return Seen(None)
    first = min(states, key=lambda state: state.generation)
    if all(state.model_copy(update={"generation": first.generation}) == first for state in states):
        return Seen(first)
    loosest = max(states, key=lambda state: state.factor)
    mean = sum(state.factor for state in states) / len(states)
    return Seen(first.model_copy(update={"status": loosest.status, "factor": mean}))


def _state(target: str, campaign: Campaign, unit: int) -> WantedState | None:
    """One campaign; None if no order of ours ever reached it."""
    note = campaign.note
    if note is None:
        return None
    status, factor = _stands(campaign, note, unit)
    return WantedState(target=target, status=status, factor=factor, generation=note.generation)


def _stands(campaign: Campaign, note: Note, unit: int) -> tuple[TargetStatus, float]:
    if not campaign.on and note.status in _STOPPED:
        return note.status, 0.0
    if not campaign.on and note.on:
        return "paused", 0.0
    if note.status == "running":
        return "running", 1.0
    if note.budget is None or campaign.budget is None:
        return "running", 1.0
    if note.status == "throttled" and campaign.budget == share(note.budget, note.factor, unit):
        return "throttled", note.factor
    if campaign.budget >= note.budget:
        return "running", 1.0
    return "throttled", round(campaign.budget / note.budget, 4)
