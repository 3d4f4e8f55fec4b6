"""The scenes of the short story: five incidents, an acknowledgement, a yes, a resume, a ramp, a limit, and midnight."""

from deploy.demo.looks import Looks
from deploy.demo.naming import GOVERNOR, STEPS
from deploy.demo.play import Scene
from deploy.demo.stories import CHANNELS
from deploy.demo.story import BEGINS, BURST, COMPLAINED_OF, ENDS, FARMED, SLOWED, UNSOUND

CALM = Scene(BEGINS, f"calm traffic on {len(CHANNELS)} channels", 10)


async def complaints(looks: Looks) -> None:
    """The twentieth complaint pauses the channel; on call takes charge, and people let it go on."""
    target = f"channel:{COMPLAINED_OF}"
    begun = looks.sent(lambda e: e["type"] == "complaint_opened" and e["channel_id"] == COMPLAINED_OF, 20)
    await looks.check("on call was warned at 12 complaints", looks.told("complaint_volume", "opened", target))
    await looks.check("the 20th complaint pauses the channel", looks.ordered(target, "pause", begun))
    await looks.check("the platform confirms the pause", looks.confirmed(target, "paused", begun))
    await looks.check("on call knows that it is critical", looks.told("complaint_volume", "updated", target, begun))
    await looks.check("on call takes charge by the link in it", looks.acknowledged("complaint_volume", target))
    await looks.check("an operator resumes the channel, two others agree", looks.resumed(target))
    await looks.check("the platform confirms that it runs", looks.confirmed(target, "running"))


async def clicks(looks: Looks) -> None:
    """The click farm and its accounts are frozen."""
    begun = looks.sent(lambda e: e["type"] == "click" and "account_id" in e, 100)
    await looks.check("the address is frozen", looks.held("actor", "click_fraud", "frozen", 1, begun))
    await looks.check("so are its three accounts", looks.held("account", "click_fraud", "frozen", 3, begun))
    await looks.check("on call has the trace", looks.told("click_fraud", "opened", begun=begun))


async def slowed(looks: Looks) -> None:
    """A signal: slowing waits for a person, who says yes."""
    target = f"channel:{SLOWED}"
    yes = looks.decided("approve", target, "complaint_rate", "half the traffic until it is over")
    await looks.check("slowing is proposed, and an approver says yes", yes)
    await looks.check("the platform confirms the slowing", looks.confirmed(target, "throttled"))


async def eased(looks: Looks) -> None:
    """What the signal slowed opens by itself, step by step."""
    target = f"channel:{SLOWED}"
    await looks.check("the alert is resolved", looks.told("complaint_rate", "resolved", target))
    await ramp(looks, target)


async def ramp(looks: Looks, target: str) -> None:
    """Each step is on the platform, and in the end nothing holds the target."""
    for share in STEPS:
        await looks.check(f"the platform opens it to {share:.0%}", looks.opened(target, share))
    await looks.check("after a last watch the hold is lifted", looks.lifted(target))


async def rate(looks: Looks) -> None:
    """Slowing waits for a person, who says yes."""
    target = f"channel:{UNSOUND}"
    await looks.check("at 2 % slowing is proposed", looks.ordered(target, "throttle", outcome="waiting"))
    await looks.check("until a person decides, the channel runs", looks.still(target, "running"))
    yes = looks.decided("approve", target, "complaint_rate", "half the traffic until we know why")
    await looks.check("an approver says yes", yes)
    await looks.check("the platform confirms the slowing", looks.confirmed(target, "throttled"))


async def higher_rate(looks: Looks) -> None:
    """The pause does not wait."""
    target = f"channel:{UNSOUND}"
    await looks.check("at 5 % the channel is paused", looks.ordered(target, "pause"))
    await looks.check("the platform confirms the pause", looks.confirmed(target, "paused"))
    await looks.check("on call was told", looks.told("complaint_rate", "updated", target, level=2))


async def burst(looks: Looks) -> None:
    """So much at once is for people: a few channels are stopped, the others wait, and one alert says so."""
    stopped = GOVERNOR.channels_at_once - 1  # one is stopped already
    await looks.check(f"the first {stopped} are stopped", looks.stopped(BURST, stopped))
    held_back = looks.held_back(BURST, len(BURST) - stopped)
    await looks.check("the governor has the others wait for two people", held_back)
    told = looks.told_once("governor", "service:channel_control")
    await looks.check("one alert says so, and what waiting costs", told)
    await looks.check("two people approve one of them", looks.agreed(BURST))


async def midnight(looks: Looks) -> None:
    """A day's count ends; what a guardrail stopped stays stopped."""
    resolved = looks.told("complaint_volume", "resolved", f"channel:{COMPLAINED_OF}")
    await looks.check("the complaints alert is resolved", resolved)
    await looks.check("yet nothing resumes by itself", looks.still(f"channel:{UNSOUND}", "paused"))


COMPLAINTS = Scene(10, f"customers begin to complain about {COMPLAINED_OF}, one every two minutes", 11, complaints)
CLICKS = Scene(13, f"160 clicks on {FARMED} from one address within 40 seconds", 13.1, clicks)
SLOWING = Scene(13.5, f"some complaints about {SLOWED}, where few people buy today", 14.4, slowed)
EASING = Scene(14.5, f"many people buy on {SLOWED}", 15.4, eased)
RATE = Scene(16, f"complaints about {UNSOUND}, where few people buy", 18.2, rate)
HIGHER_RATE = Scene(18.2, f"they go on complaining about {UNSOUND}", 20.2, higher_rate)
ALL_AT_ONCE = Scene(22.8, f"customers complain about {len(BURST)} channels at once", 23.3, burst)
MIDNIGHT = Scene(24, "midnight in Shanghai", ENDS, midnight)

FEW = (CALM, COMPLAINTS, CLICKS, SLOWING, EASING, RATE, HIGHER_RATE, ALL_AT_ONCE, MIDNIGHT)
