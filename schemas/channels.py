"""Holds and the state of each target, on `channel-state`."""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import HexId, Instant, Message, Name, Ref, Versioned

TargetStatus = Literal["running", "throttled", "paused", "frozen", "taken_down"]
HoldKind = Literal["throttle", "pause", "freeze", "take_down"]
ClaimState = Literal["asked", "granted", "declined"]
"""Of a stop by automation: whether the governor lets it act; a declined one waits for people."""
RampState = Literal["opening", "behind", "held", "person"]
HoldGuard = Literal["guardrail", "unfreeze"]
"""What several people are asked for, before a hold goes or is masked."""
Approval = Literal["none", "waiting", "granted", "rejected", "expired"]
"""A hold acts with `none` (it needs no approval) and `granted`. `rejected` and `expired` ones are a record only."""


class Ramp(Message):
    """How far a hold has been opened by itself since its trouble eased.

    state: `opening` (the next step is due at `next_at`); `behind` (something stricter stands on the target, or it waits
    for its approval, so there is nothing to watch); `held` (the trouble came back, and it is shut until that eases);
    `person` (it opens by itself no more). step: the share of traffic that it lets through; with 1 it stops nothing, and
    is lifted when that has been watched. wait_s: how long it waits before the first step.
    """

    state: RampState
    step: Annotated[float, Field(ge=0, le=1)] = 0.0
    next_at: Instant | None = None
    wait_s: Annotated[float, Field(ge=0)]
    relapses: Annotated[int, Field(ge=0)] = 0


class Hold(Message):
    """One standing reason why a target is paused or slowed, or a request for one.

    decide_by: until when a person may approve or reject what has to wait for one. decided_by: who has.
    approvals_needed: so many different people have to approve it. approved_by: those who have so far.
    masked: it stands, and acts when the target's override has ended.
    reason_zh: the same in Chinese; null where it is a person's own words.
    """

    hold_id: HexId
    kind: HoldKind
    factor: Annotated[float, Field(ge=0, le=1)] | None = None
    indicator: Name | None = None
    alert_id: HexId | None = None
    level: int | None = None
    since: Instant
    by: Name
    until: Instant | None = None
    approval: Approval = "none"
    decide_by: Instant | None = None
    decided_by: Name | None = None
    approvals_needed: Annotated[int, Field(ge=1)] = 1
    approved_by: list[Name] = []
    masked: bool = False
    reason: str | None = None
    reason_zh: str | None = None
    ramp: Ramp | None = None
    claim: ClaimState | None = None


class Override(Message):
    """A person keeps a target running until a time, whatever automation wants; the holds that it masks stand.

    indicators: whose holds it masks; null: all, those of people only where they stood before it.
    spares: what it masks all the same not, since nobody has agreed to it: what a guardrail stops, what is frozen.
    """

    override_id: HexId
    by: Name
    since: Instant
    until: Instant
    indicators: list[Name] | None = None
    spares: list[HoldGuard] = []
    reason: str


class FourEyesRequest(Message):
    """What a person asked for and others have yet to agree to: all different, none of them the one who asked.

    hold_ids: what `resume` lifts, or what is guarded of what the `override` masks. It is void when one of them goes.
    """

    request_id: HexId
    command: Literal["resume", "override"]
    by: Name
    since: Instant
    decide_by: Instant
    hold_ids: list[HexId]
    override: Override | None = None
    approvals_needed: Annotated[int, Field(ge=1)]
    approved_by: list[Name] = []
    reason: str


class WantedState(Versioned):
    """What the reconciler puts to a platform, and what a platform answers: `PUT` and `GET /v1/targets/{target}`.

    A platform refuses a generation older than the one it has with 409, so a late retry cannot undo a newer order.
    """

    target: Ref
    status: TargetStatus
    factor: float
    generation: int


class Drift(Message):
    """What a platform shows instead of what it had confirmed.

    shown: null: it knows the target no more. corrects: what is wanted is put again; otherwise it is told and left.
    alert_id: the alert of its own, where no alert stands behind a hold.
    """

    shown: WantedState | None
    since: Instant
    corrects: bool
    alert_id: HexId | None = None


class Platform(Message):
    """What is wanted of the platform and what it has confirmed, kept apart."""

    wanted: TargetStatus
    confirmed: TargetStatus | None = None
    confirmed_generation: int | None = None
    confirmed_at: Instant | None = None
    error: str | None = None
    error_zh: str | None = None
    drift: Drift | None = None


class ChannelState(Versioned):
    """One target. `generation` rises by one with every change of its holds.

    `seq` is the offset of the order (or report) that made it so: it rises with every state, and a state that is written
    once more after a death has the seq that it had.
    """

    target: Ref
    generation: int
    seq: int = 0
    status: TargetStatus
    factor: float
    holds: list[Hold] = []
    override: Override | None = None
    requests: list[FourEyesRequest] = []
    platform: Platform
