"""Pairs of incidents of which it is known whether one cause is behind both, and how well grouping tells.

`python -m tests.quality.together --seeds 1001 1002 1003` prints it. Seeds 1 to 20 are for tuning.

Each pair comes after a week of ordinary alerts. Related: one product scare over channels, one botnet on two channels,
one bad post that spreads, one rise of a rate, one prank, seen in two halves. Not related: halves of two causes of their
own at the same time, on the channels and products that come up often, every other time on the same channels. A related
pair is found when all its alerts are one incident; an unrelated one is mistaken for one when any incident has alerts of
both.
"""

import argparse
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from schemas.alerts import AlertState
from services.incidents.grouping import Seen, group, seen
from services.incidents.things import things_of
from tests.quality.alerts import CHANNELS, HIGH_RISK, NOON, PRODUCTS, Bank

Half = list[AlertState]


@dataclass
class Told:
    """One cause and the alerts that it brought about, in two halves; `about` is what it is in the end."""

    kind: str
    about: str
    halves: tuple[Half, Half]


@dataclass
class Pair:
    """Two halves of alerts, and whether one cause is behind both."""

    kind: str
    related: bool
    halves: tuple[Half, Half]


@dataclass
class Score:
    """What was found. wrong: by kind of pair."""

    found: int = 0
    missed: int = 0
    mistaken: int = 0
    apart: int = 0
    wrong: Counter[str] = field(default_factory=Counter)

    @property
    def precision(self) -> float:
        """Of the pairs that grouping calls one incident, the share that is."""
        return self.found / max(self.found + self.mistaken, 1)

    @property
    def recall(self) -> float:
        """Of the pairs that are one incident, the share that grouping finds."""
        return self.found / max(self.found + self.missed, 1)


def scare(bank: Bank, at: datetime) -> Told:
    """A product that people lose trust in: they search, complain on several channels, talk."""
    (product,) = bank.some(PRODUCTS)
    carriers = bank.some(CHANNELS, bank.random.randint(3, 6))
    first = [bank.searches(product, carriers, at)]
    first += [bank.complaints(carriers[0], product, at + bank.minutes(5, 120))]
    second = [bank.complaints(each, product, at + bank.minutes(10, 180)) for each in carriers[1:3]]
    if bank.random.random() < 0.5:
        talk = bank.counts([product], PRODUCTS, 3, bank.random.uniform(0.5, 0.9))
        second.append(bank.mentions(talk, at + bank.minutes(20, 180)))
    return Told("scare", product, (first, second))


def botnet(bank: Bank, at: datetime) -> Told:
    """Addresses that click two campaigns with a pool of accounts; the channels' ratios suffer hours later."""
    channels = bank.some(CHANNELS, 2)
    links = [f"link-{bank.hex()[:6]}" for _ in channels]
    accounts = [bank.hex() for _ in range(6)]
    halves: tuple[Half, Half] = ([], [])
    for half, channel, link in zip(halves, channels, links, strict=True):
        for _ in range(bank.random.randint(1, 3)):
            both = bank.random.random() < 0.5
            seen_on, clicked = (channels, links) if both else ([channel], [link])
            half.append(bank.clicks(seen_on, clicked, accounts, at + bank.minutes(0, 40)))
    if bank.random.random() < 0.5:
        indicator = bank.random.choice(("conversion_drop", "cac_spike"))
        halves[1].append(bank.ratio(indicator, channels[1], at + bank.minutes(20, 120)))
    return Told("botnet", links[0], halves)


def bad_post(bank: Bank, at: datetime) -> Told:
    """A text that promises too much, copied to other channels under other ids; customers complain of the product."""
    (product,), text = bank.some(PRODUCTS), bank.hex() * 2
    channels = bank.some(CHANNELS, 3)
    first = [bank.post(f"post-{bank.hex()[:6]}", channels[:1], product, text, at)]
    second = [bank.post(f"post-{bank.hex()[:6]}", channels[1:], product, text, at + bank.minutes(5, 120))]
    if bank.random.random() < 0.6:
        second.append(bank.complaints(channels[1], product, at + bank.minutes(30, 180)))
    return Told("bad post", product, (first, second))


def rise(bank: Bank, at: datetime) -> Told:
    """A rate that rises: customers of one high-risk product look for reassurance, and talk."""
    product = bank.random.choice(HIGH_RISK)
    first = [bank.rate(at)]
    second = [bank.searches(product, bank.some(CHANNELS, 3), at + bank.minutes(20, 120))]
    return Told("rise", product, (first, second))


def prank(bank: Bank, at: datetime) -> Told:
    """One address that clicks and complains on a channel."""
    channels, accounts = bank.some(CHANNELS, 1), [bank.hex()]
    clicks = bank.clicks(channels, [f"link-{bank.hex()[:6]}"], accounts, at)
    actor = clicks.subject.partition(":")[2]
    return Told("prank", actor, ([clicks], [bank.flood(channels, actor, accounts, at + bank.minutes(1, 60))]))


CAUSES: tuple[Callable[[Bank, datetime], Told], ...] = (scare, botnet, bad_post, rise, prank)


def loner(bank: Bank, at: datetime) -> AlertState:
    """An alert of a cause of its own, as there are some on every day."""
    (channel,), (product,) = bank.some(CHANNELS), bank.some(PRODUCTS)
    links, text = [f"link-{bank.hex()[:6]}"], bank.hex() * 2
    ratio = bank.random.choice(("cac_spike", "conversion_drop", "engagement_drop"))
    return bank.random.choice(
        (
            lambda: bank.complaints(channel, product if bank.random.random() < 0.4 else None, at),
            lambda: bank.clicks([channel], links, [bank.hex()], at),
            lambda: bank.flood([channel], None, [bank.hex()], at),
            lambda: bank.ratio(ratio, channel, at),
            lambda: bank.ratio(ratio, channel, at),
            lambda: bank.post(f"post-{bank.hex()[:6]}", [channel], product, text, at),
            lambda: bank.late(channel, product, at),
            lambda: bank.searches(product, bank.some(CHANNELS, 4), at),
        )
    )()


def week(bank: Bank) -> list[AlertState]:
    """The alerts of the week before."""
    begins = NOON - timedelta(days=7)
    return [loner(bank, begins + bank.minutes(0, 7 * 24 * 60 - 180)) for _ in range(bank.random.randint(20, 40))]


def pairs(seed: int, count: int = 120) -> list[tuple[list[AlertState], Pair]]:
    """So many, the week before each with it; every other one is related."""
    bank = Bank(Random(seed))
    return [(week(bank), _pair(bank, number)) for number in range(count)]


def _pair(bank: Bank, number: int) -> Pair:
    at = NOON + bank.minutes(0, 300)
    one = CAUSES[number // 2 % len(CAUSES)](bank, at)
    if number % 2 == 0:
        return Pair(one.kind, True, one.halves)
    near = at + bank.minutes(-90, 90)
    bank.busy = frozenset(_channels(one) if bank.random.random() < 0.5 else ())
    pair = _unrelated(bank, one, near)
    bank.busy = frozenset()
    return pair


def _channels(told: Told) -> list[str]:
    found = [thing for half in told.halves for each in half for thing in things_of(each)]
    return [thing.partition(":")[2] for thing in found if thing.startswith("channel:")]


def _unrelated(bank: Bank, one: Told, near: datetime) -> Pair:
    """Half of one cause, and an alert of its own or half of another cause: any but the same once more."""
    if bank.random.random() < 0.4:
        return Pair(f"{one.kind} | loner", False, (one.halves[0], [loner(bank, near)]))
    other = bank.random.choice(CAUSES)(bank, near)
    while (other.kind, other.about) == (one.kind, one.about) or other.kind == one.kind == "rise":
        other = bank.random.choice(CAUSES)(bank, near)
    mine, yours = bank.random.choice(one.halves), bank.random.choice(other.halves)
    return Pair(f"{one.kind} | {other.kind}", False, (mine, yours))


def measure(seeds: list[int], count: int = 120) -> Score:
    """How well grouping tells these pairs."""
    score = Score()
    for before, pair in (each for seed in seeds for each in pairs(seed, count)):
        kept: dict[str, Seen] = {each.alert_id: seen(each) for half in (before, *pair.halves) for each in half}
        grouping = group(kept.values())
        one, other = ({grouping.key_of[each.alert_id] for each in half} for half in pair.halves)
        if pair.related:
            together = len(one | other) == 1
            score.found += together
            score.missed += not together
        else:
            together = bool(one & other)
            score.mistaken += together
            score.apart += not together
        score.wrong[pair.kind] += together is not pair.related
    return score


def main() -> None:
    """Prints how well it tells them."""
    parser = argparse.ArgumentParser(prog="python -m tests.quality.together")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(1001, 1006)))
    parser.add_argument("--pairs", type=int, default=120, help="of each seed")
    given = parser.parse_args()
    score = measure(given.seeds, given.pairs)
    print(f"{len(given.seeds) * given.pairs} pairs: precision {score.precision:.3f}, recall {score.recall:.3f}")
    print(f"found {score.found}, missed {score.missed}, mistaken {score.mistaken}, kept apart {score.apart}")
    for kind, number in score.wrong.most_common():
        if number:
            print(f"  wrong: {number:3} {kind}")


if __name__ == "__main__":
    main()
