"""The scenes of the long story: every indicator trips, acts and clears."""

from deploy.demo import scenes
from deploy.demo.history import CARRIERS, DAYS, ENGAGING, EXPENSIVE, SEARCHED, SELLING
from deploy.demo.looks import Looks
from deploy.demo.play import Scene
from deploy.demo.story import BEGINS, BURST, COMPLAINED_OF, ENDS, FLOODED, QUIET, SLOWED, UNSOUND

RISKY = "growth-fund"
"""Of risk class high in the demonstration's directory."""


async def content(looks: Looks) -> None:
    """A forbidden promise is taken down."""
    target = f"content:{looks.day.promise}"
    begun = looks.sent(lambda e: e.get("content_id") == looks.day.promise)
    await looks.check("the text is taken down", looks.ordered(target, "take_down", begun))
    await looks.check("the platform confirms it", looks.confirmed(target, "taken_down", begun))
    await looks.check("compliance has the words", looks.told("content_violation", "opened", target, begun))


async def sla(looks: Looks) -> None:
    """Nobody answered in time."""
    target = f"complaint:{looks.day.waiting}"
    await looks.check("a warning came after 96 minutes", looks.told("complaint_sla", "opened", target))
    await looks.check("after two hours people are called", looks.ordered(target, "escalate", outcome="recorded"))
    await looks.check("on call knows that it is overdue", looks.told("complaint_sla", "updated", target))


async def flood(looks: Looks) -> None:
    """The address of the flood and its accounts are frozen."""
    begun = looks.sent(lambda e: e.get("entry") == "one_click", 5)
    await looks.check("the address is frozen", looks.held("actor", "complaint_flood", "frozen", 1, begun))
    await looks.check("so are its two accounts", looks.held("account", "complaint_flood", "frozen", 2, begun))
    await looks.check("on call has the trace", looks.told("complaint_flood", "opened", begun=begun))


async def divergence(looks: Looks) -> None:
    """The experts are called, and the promotion of the product stops wherever it was carried."""
    target = f"product:{SEARCHED}"
    await looks.check("the experts are called", looks.ordered(target, "escalate", outcome="recorded"))
    for channel in CARRIERS:
        promotion = f"promotion:{SEARCHED}@{channel}"
        await looks.check(f"its promotion on {channel} stops", looks.confirmed(promotion, "paused"))
    await looks.check("on call was told", looks.told("search_divergence", "opened", target))


async def compared(looks: Looks) -> None:
    """A day against the week before: slowing waits for a person, who says yes; people are called; people are told."""
    dear, selling, watched = (f"channel:{name}" for name in (EXPENSIVE, SELLING, ENGAGING))
    await looks.check("people are called for the cost", looks.ordered(dear, "escalate", outcome="recorded"))
    await looks.check("slowing is proposed", looks.ordered(dear, "throttle", outcome="waiting"))
    await looks.check("an approver says yes", looks.decided("approve", dear, "cac_spike", "too dear for now"))
    await looks.check("the platform confirms the slowing", looks.confirmed(dear, "throttled"))
    await looks.check("on call was told", looks.told("cac_spike", "opened", dear))
    await looks.check("people are called for the purchases", looks.ordered(selling, "escalate", outcome="recorded"))
    await looks.check("on call was told", looks.told("conversion_drop", "opened", selling))
    await looks.check("of what nobody takes part in people are told", looks.told("engagement_drop", "opened", watched))
    await looks.check("and nothing is ordered", looks.no_orders(watched))


async def recovered(looks: Looks) -> None:
    """What cleared by its own condition."""
    target = f"content:{looks.day.promise}"
    asked = looks.ordered(target, "escalate", outcome="recorded")
    await looks.check("after half an hour people are to be called about the text", asked)
    told = looks.told_only("content_violation", {"opened", "resolved"})
    await looks.check("but the platform had confirmed, so nobody was", told)
    await _resolved(looks, "complaint_sla", "the complaint was answered", f"complaint:{looks.day.waiting}")
    await _resolved(looks, "content_violation", "the text was corrected", f"content:{looks.day.promise}")
    await _resolved(looks, "complaint_flood", "the flood is over")
    await _resolved(looks, "click_fraud", "the click farm is still")
    await _resolved(looks, "search_divergence", "people search as they always did", f"product:{SEARCHED}")
    await _resolved(looks, "cac_spike", "new accounts cost what they did", f"channel:{EXPENSIVE}")
    await _resolved(looks, "conversion_drop", "clicks end in purchases again", f"channel:{SELLING}")
    await _resolved(looks, "engagement_drop", "people take part again", f"channel:{ENGAGING}")
    await scenes.ramp(looks, f"channel:{EXPENSIVE}")


async def sentiment(looks: Looks) -> None:
    """The emergency response is called."""
    await looks.check("experts are called", looks.ordered("brand:all", "escalate", outcome="recorded"))
    await looks.check("on call has the report", looks.told("negative_sentiment", "opened", "brand:all"))


async def market(looks: Looks) -> None:
    """Slowing a risky product waits for a person, who says no."""
    target = f"product:{RISKY}"
    await looks.check("the experts are called", looks.ordered("market:gdp", "escalate", outcome="recorded"))
    await looks.check("slowing is proposed", looks.ordered(target, "throttle", outcome="waiting"))
    no = looks.decided("reject", target, "market_volatility", "one quarter is no trend")
    await looks.check("an approver rejects it", no)
    await looks.check("the product runs on", looks.still(target, "running"))
    await looks.check("on call was told", looks.told("market_volatility", "opened", "market:gdp"))
    await looks.check("compliance knows of the new rule", looks.told("market_volatility", "opened", "market:policy"))


async def late(looks: Looks) -> None:
    """What cleared in the evening."""
    await _resolved(looks, "complaint_rate", "many people buy", f"channel:{UNSOUND}")
    await _resolved(looks, "market_volatility", "growth was corrected", "market:gdp")
    await _resolved(looks, "market_volatility", "the news is told", "market:policy")


async def midnight(looks: Looks) -> None:
    """The counts of the day end, and nobody was called for anything else."""
    await scenes.midnight(looks)
    await _resolved(looks, "negative_sentiment", "the day's mentions are counted", "brand:all")
    burst = {f"channel:{name}" for name in BURST}
    subjects = {
        "complaint_volume": {f"channel:{COMPLAINED_OF}", *burst},
        "complaint_rate": {f"channel:{UNSOUND}", f"channel:{SLOWED}", *burst},
        "governor": {"service:channel_control"},
        "complaint_sla": {f"complaint:{looks.day.waiting}"},
        "cac_spike": {f"channel:{EXPENSIVE}"},
        "conversion_drop": {f"channel:{SELLING}"},
        "engagement_drop": {f"channel:{ENGAGING}"},
        "search_divergence": {f"product:{SEARCHED}"},
        "content_violation": {f"content:{looks.day.promise}"},
        "negative_sentiment": {"brand:all"},
        "market_volatility": {"market:gdp", "market:policy"},
        "click_fraud": set[str](),
        "complaint_flood": set[str](),
    }
    await looks.check("nobody was called for anything else", looks.nothing_else(subjects))


async def _resolved(looks: Looks, indicator: str, why: str, subject: str | None = None) -> None:
    await looks.check(f"{why}, {indicator} is resolved", looks.told(indicator, "resolved", subject))


ALL = (
    Scene(BEGINS, f"calm traffic, after {DAYS} days of it in hourly sums", 9),
    Scene(9, f"a high-net-worth client complains at {QUIET}; nobody answers", 9.5),
    Scene(9.5, f"a text on {EXPENSIVE} promises what nobody can", 10, content),
    scenes.COMPLAINTS,
    Scene(11, "two hours have passed without an answer", 11.1, sla),
    Scene(11.5, f"six one-click complaints about {FLOODED} from one address", 11.7, flood),
    Scene(
        12,
        f"30,000 CNY are spent on {EXPENSIVE}, 6,000 clicks counted on {SELLING}, 40,000 impressions on {ENGAGING}",
        12.5,
    ),
    scenes.CLICKS,
    Scene(13.1, f"everybody searches for {SEARCHED}, and nobody buys more of it", 14, divergence),
    Scene(14, "two hours have passed, and nothing came of what was spent, clicked and shown", 14.3, compared),
    scenes.SLOWING,
    scenes.EASING,
    Scene(15.3, "things get better", 17, recovered),
    scenes.RATE,
    scenes.HIGHER_RATE,
    Scene(20.5, "the brand gets a hundred and thirty bad mentions", 21, sentiment),
    Scene(21, "growth was weak, and the regulator changes the rules", 21.5, market),
    Scene(22, "growth is corrected", 22.5, late),
    scenes.ALL_AT_ONCE,
    Scene(24, "midnight in Shanghai", ENDS, midnight),
)
