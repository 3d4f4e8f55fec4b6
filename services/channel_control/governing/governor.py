"""The governor: grants automation its stops up to the policy's limits, over all partitions at one place. Pure.

Channels that are stopped are counted, and their share of the last hour's clicks. A stopped channel keeps the clicks
that it had when it was stopped, so that its share does not shrink because of the stop. Where nobody has told any
figures yet only the counts bind. Promotions are counted by their products: one verdict stops all of a product's.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, TypeVar

from schemas.base import Bilingual, HexId, Instant, Message, Name, Versioned
from schemas.governor import Claim, Figures, Governor, Hour

HOUR: Final = timedelta(hours=1)
FRESH: Final = timedelta(hours=2)
"""Figures that are older say nothing; their writer is away."""
BURST: Final = timedelta(milliseconds=100)
"""A claim that comes so soon after another one may have more behind it, so it is gathered."""
GATHER: Final = timedelta(milliseconds=25)
"""So long, at least; the governor's own word that it is over comes by the log, so that a replay gathers the same."""


_AT_ONCE: Final = Bilingual(
    en="it would stop {} channels at once, the policy allows {}", zh="将同时限制 {} 个渠道，策略允许 {} 个"
)
_PER_HOUR: Final = Bilingual(
    en="it would stop {} channels within an hour, the policy allows {}", zh="一小时内将限制 {} 个渠道，策略允许 {} 个"
)
_PRODUCTS_AT_ONCE: Final = Bilingual(
    en="it would stop promotions of {} products at once, the policy allows {}",
    zh="将同时暂停 {} 个产品的推广，策略允许 {} 个",
)
_PRODUCTS_PER_HOUR: Final = Bilingual(
    en="it would stop promotions of {} products within an hour, the policy allows {}",
    zh="一小时内将暂停 {} 个产品的推广，策略允许 {} 个",
)
_SHARE_AT_ONCE: Final = Bilingual(
    en="it would stop {:.0%} of the hour's clicks at once, the policy allows {:.0%}",
    zh="将同时限制最近一小时 {:.0%} 的点击，策略允许 {:.0%}",
)
_SHARE_PER_HOUR: Final = Bilingual(
    en="it would stop {:.0%} of the clicks within an hour, the policy allows {:.0%}",
    zh="一小时内将限制 {:.0%} 的点击，策略允许 {:.0%}",
)


class Stop(Message):
    """A claim that was granted or waits; since when, and the clicks that its channel had in the hour before."""

    claim: Claim
    at: Instant
    clicks: int = 0


class Asked(Stop):
    """A claim that is gathered, and the order by which it came."""

    command_id: HexId
    alert_id: HexId | None = None


AnyStop = TypeVar("AnyStop", bound=Stop)


class Told(Message):
    """What one writer said last, and when."""

    figures: Figures
    at: Instant


class Standing(Versioned):
    """What the governor knows. gathered: the claims of a burst, until they are answered. asked_at: when the last one
    came. past: what was granted within the hour and has been given back. alert_id: of the alert that tells of what
    waits, while any does."""

    gathered: list[Asked] = []
    asked_at: Instant | None = None
    granted: list[Stop] = []
    waiting: list[Stop] = []
    past: list[Stop] = []
    told: dict[Name, Told] = {}
    alert_id: HexId | None = None
    opened_at: Instant | None = None

    def hours(self) -> dict[str, Hour]:
        """The last hour of every channel, by target."""
        return {f"channel:{name}": hour for told in self.told.values() for name, hour in told.figures.channels.items()}


def hear(standing: Standing, figures: Figures, at: datetime) -> Standing:
    """Takes in what a writer tells, and forgets those who tell nothing any more."""
    told = {**standing.told, figures.writer: Told(figures=figures, at=at)}
    return standing.model_copy(update={"told": {name: each for name, each in told.items() if each.at > at - FRESH}})


def release(standing: Standing, hold_id: str, at: datetime) -> Standing:
    """A hold stands no more: its share is free, though within the hour it still counts as one that was stopped."""
    gone = [stop for stop in standing.granted if stop.claim.hold_id == hold_id]
    past = [stop for stop in (*standing.past, *gone) if stop.at > at - HOUR]
    return _without(standing, hold_id).model_copy(update={"past": past})


def gathers(standing: Standing, wanted: Claim, limits: Governor, at: datetime) -> bool:
    """Whether a claim is answered with others: it is not the first of a burst, and more would be stopped by it."""
    if wanted.approved or not limits.enabled or _is_covered(standing, wanted):
        return False
    return bool(standing.gathered) or (standing.asked_at is not None and at < standing.asked_at + BURST)


def gather(standing: Standing, asked: Asked) -> Standing:
    """Takes a claim in among those that are answered together."""
    rest = _without(standing, asked.claim.hold_id)
    return rest.model_copy(update={"gathered": [*rest.gathered, asked], "asked_at": asked.at})


def claim(standing: Standing, wanted: Claim, limits: Governor, at: datetime) -> tuple[Standing, Bilingual | None]:
    """Grants a claim, or has it wait; and why it waits."""
    why = None if wanted.approved or not limits.enabled else _beyond(standing, wanted, limits, at)
    stop = _stop(standing, wanted, at)
    place = "granted" if why is None else "waiting"
    rest = _without(standing, wanted.hold_id)
    asked_at = standing.asked_at if wanted.approved else at
    return rest.model_copy(update={place: [*getattr(rest, place), stop], "asked_at": asked_at}), why


def _stop(standing: Standing, wanted: Claim, at: datetime) -> Stop:
    """One that is granted anew, stricter, goes on from when it was."""
    known = next((stop for stop in standing.granted if stop.claim.hold_id == wanted.hold_id), None)
    if known is not None:
        return known.model_copy(update={"claim": wanted})
    return Stop(claim=wanted, at=at, clicks=standing.hours().get(wanted.target, Hour()).clicks)


def _without(standing: Standing, hold_id: str) -> Standing:
    places = {name: getattr(standing, name) for name in ("gathered", "granted", "waiting")}
    kept = {name: [stop for stop in stops if stop.claim.hold_id != hold_id] for name, stops in places.items()}
    return standing.model_copy(update=kept)


def _beyond(standing: Standing, wanted: Claim, limits: Governor, at: datetime) -> Bilingual | None:
    """Which limit a claim would exceed."""
    if _is_covered(standing, wanted):
        return None
    now = standing.granted
    lately = [stop for stop in (*now, *standing.past) if stop.at > at - HOUR]
    if (product := _product(wanted.target)) is not None:
        checks = _of_products(len({product} | _products(now)), len({product} | _products(lately)), limits)
    elif len({wanted.target} | _channels(now)) <= limits.always:
        return None
    else:
        checks = _of_channels(len({wanted.target} | _channels(now)), len({wanted.target} | _channels(lately)), limits)
        checks += _of_traffic(_share(standing, now, wanted), _share(standing, lately, wanted), limits)
    return next((_filled(said, value, most) for value, most, said in checks if value > most), None)


def _filled(said: Bilingual, value: float, most: float) -> Bilingual:
    return Bilingual(en=said.en.format(value, most), zh=said.zh.format(value, most))


def _is_covered(standing: Standing, wanted: Claim) -> bool:
    """Whether nothing more is stopped by it."""
    return any(stop.claim.target == wanted.target and stop.claim.left <= wanted.left for stop in standing.granted)


Checks = tuple[tuple[float, float, Bilingual], ...]
"""What it would come to, what the policy allows, and both in words."""


def _of_products(now: int, lately: int, limits: Governor) -> Checks:
    return ((now, limits.products_at_once, _PRODUCTS_AT_ONCE), (lately, limits.products_per_hour, _PRODUCTS_PER_HOUR))


def _of_channels(now: int, lately: int, limits: Governor) -> Checks:
    return ((now, limits.channels_at_once, _AT_ONCE), (lately, limits.channels_per_hour, _PER_HOUR))


def _of_traffic(now: float, lately: float, limits: Governor) -> Checks:
    return (
        (now, limits.traffic_share_at_once, _SHARE_AT_ONCE),
        (lately, limits.traffic_share_per_hour, _SHARE_PER_HOUR),
    )


def _product(target: str) -> str | None:
    """Of a promotion."""
    kind, _, name = target.partition(":")
    return name.rpartition("@")[0] if kind == "promotion" else None


def _products(stops: Iterable[Stop]) -> set[str]:
    return {product for stop in stops if (product := _product(stop.claim.target)) is not None}


def _channels(stops: Iterable[Stop]) -> set[str]:
    return {stop.claim.target for stop in stops if _product(stop.claim.target) is None}


def _share(standing: Standing, stops: Iterable[Stop], wanted: Claim) -> float:
    """Of the last hour's clicks; 0 where nobody has told any."""
    clicks = {target: hour.clicks for target, hour in standing.hours().items()}
    left = {wanted.target: wanted.left}
    for stop in stops:
        clicks[stop.claim.target] = max(stop.clicks, clicks.get(stop.claim.target, 0))
        left[stop.claim.target] = min(stop.claim.left, left.get(stop.claim.target, 1.0))
    total = sum(clicks.values())
    taken = sum((1 - share) * clicks.get(target, 0) for target, share in left.items())
    return taken / total if total else 0.0


def channels(stops: Iterable[Stop]) -> int:
    """How many channels these are about."""
    return len(_channels(stops))


def products(stops: Iterable[Stop]) -> int:
    """Of how many products these stop promotions."""
    return len(_products(stops))


def most_harmful_first(standing: Standing, stops: Iterable[AnyStop]) -> list[tuple[AnyStop, Hour | None]]:
    """These, with what each channel moved in the last hour: what protects customers first, then the most clicks."""
    hours = standing.hours()
    found = [(stop, hours.get(stop.claim.target)) for stop in stops]
    return sorted(found, key=lambda pair: (not pair[0].claim.guardrail, *_size(pair[1]), pair[0].claim.target))


def _size(hour: Hour | None) -> tuple[int, float]:
    return (0, 0.0) if hour is None else (-hour.clicks, -hour.spend)
