"""Random stories of raw events on channels, with complaints that are opened more than once."""

from random import Random

from tests.unit.indicators.raw_stories import Raw, Teller
from tests.unit.indicators.world import HOUR, MINUTE


def _channel(random: Random) -> Raw:
    where = {"channel_id": random.choice(("douyin", "weibo"))}
    match random.choice(("complaint", "complaint", "conversion", "spend", "click")):
        case "complaint":
            who = random.choice(({}, {"account_id": "a"}, {"account_id": "b"}, {"ip": "1.1.1.1"}))
            entry = random.choice(("one_click", "hotline"))
            return "complaint_opened", {**where, **who, "complaint_id": f"c-{random.randrange(12)}", "entry": entry}
        case "conversion":
            return "conversion", {**where, "stage": random.choice(("purchase", "account_opened"))}
        case "spend":
            return "spend", {**where, "amount": random.randrange(1000) / 7}
        case _:
            return "click", {**where, "count": random.randrange(9)}


CHANNEL_TELLER = Teller(
    (MINUTE, 20 * MINUTE, HOUR, 13 * HOUR),
    _channel,
    {
        "complaint_volume": {"thresholds": {"complaints": 3, "anonymous_share": 0.5}},
        "complaint_rate": {"thresholds": {"min_complaints": 2, "min_purchases": 2, "slow_at": 0.2, "pause_at": 0.9}},
        "cac_spike": {"thresholds": {"ceiling": 40.0, "min_accounts": 1}},
    },
)
