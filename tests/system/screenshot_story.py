"""An afternoon at a bank that does not exist, for the pictures of the documentation: one channel is paused by
complaints, one is slowed, one opens again, and the others run."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import sin
from typing import Any, Final

from schemas.alerts import AlertState
from schemas.audit import AuditRecord
from schemas.base import Bilingual
from schemas.channels import ChannelState, Ramp
from schemas.directory import Directory
from schemas.policy import Policy, PolicyRef
from schemas.readings import Reading, Tally
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, DEAD_LETTERS, POLICY, READINGS
from tests.unit.console.samples import NOW, alert, asked, audit
from tests.unit.console.targets import hold, state
from tests.unit.console.troubles import evidence, paused, slowed, step
from tests.unit.console.world import World

TARGET: Final = "channel:short-video"
_PANE: Final = timedelta(minutes=5)
_PANES: Final = 288
_DAY_BEGAN: Final = _PANES - 210
"""In panes; it is half past five in the afternoon."""
_NAMES: Final = {
    "short-video": ("Short video", "短视频"),
    "social-feed": ("Social feed", "社交信息流"),
    "search-ads": ("Search ads", "搜索广告"),
    "bank-app": ("Bank app", "手机银行"),
    "mini-program": ("Mini program", "小程序"),
    "branches": ("Branches", "营业网点"),
}
_LIMITS: Final = {
    "complaint_volume": 20.0,
    "complaint_rate": 0.02,
    "conversion_drop": 0.2,
    "cac_spike": 0.2,
    "engagement_drop": 0.3,
}
_REACHED: Final = {
    "short-video": (21.4, 0.017, 0.09, 0.11, 0.12),
    "social-feed": (9.0, 0.024, 0.13, 0.08, 0.1),
    "search-ads": (4.0, 0.008, 0.1, 0.15, 0.09),
    "bank-app": (3.0, 0.004, 0.05, 0.04, 0.15),
    "mini-program": (5.0, 0.007, 0.16, 0.1, 0.2),
    "branches": (2.0, 0.003, 0.06, 0.03, 0.05),
}
"""How each indicator of a channel stands now."""


async def tell(world: World) -> None:
    """All of it, as if it had been read from the topics."""
    policy = Policy(version=7, directory=_directory())
    await world.read(POLICY, (policy.label, policy), ("active", PolicyRef(name="default", version=7)))
    await world.read(READINGS, *(("indicators:channel:0", each) for each in _readings()))
    await world.read(READINGS, ("indicators:channel:0", _hour()), ("indicators:brand:0", _surroundings()))
    await world.read(CHANNEL_STATE, *((each.target, each) for each in _states()))
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in (_complaints(), _rate(), _cost())))
    await world.read(DEAD_LETTERS)
    await world.read(AUDIT, *((TARGET, each) for each in _happened()))


def _directory() -> Directory:
    channels = {each: {"name": {"en": en, "zh": zh}, "owner": "wang.fang"} for each, (en, zh) in _NAMES.items()}
    products = {"steady-1": {"name": {"en": "Steady One", "zh": "稳健一号"}, "kind": "bond", "risk": "low"}}
    return Directory.model_validate({"channels": channels, "products": products})


def _readings() -> Iterator[Reading]:
    """A day of them."""
    for pane in range(_PANES):
        values = {
            indicator: {
                f"channel:{channel}": _standing(indicator, reached[number], (order + number) * 0.9, pane)
                for order, (channel, reached) in enumerate(_REACHED.items())
            }
            for number, indicator in enumerate(_LIMITS)
        }
        yield _reading("channel", values, (_PANES - 1 - pane) * _PANE)


def _reading(kind: str, values: dict[str, Any], ago: timedelta, **fields: Any) -> Reading:
    told = {"writer": f"indicators:{kind}:0", "subject_kind": kind, "at": NOW - ago, "values": values}
    return Reading.model_validate(told | fields)


def _standing(indicator: str, reached: float, phase: float, pane: int) -> tuple[float, float, str]:
    """A count grows from midnight on; a ratio swings and ends where it stands now."""
    if indicator == "complaint_volume":
        value = float(int(reached * _grown(pane)))
    else:
        ripple = 0.18 * sin(pane / 9 + phase) + 0.1 * sin(pane / 3.7 + phase * 2)
        value = reached * (0.45 + 0.55 * (pane / (_PANES - 1)) ** 4 + ripple * (1 - pane / (_PANES - 1)))
    limit = _LIMITS[indicator]
    return value, limit, "breach" if value >= limit else "calm"


def _grown(pane: int) -> float:
    """The share of a day's count: yesterday's until midnight, and then anew."""
    if pane < _DAY_BEGAN:
        return 0.45 + 0.15 * pane / _DAY_BEGAN
    share = (pane - _DAY_BEGAN) / (_PANES - 1 - _DAY_BEGAN)
    return float(0.35 * share + 0.65 * share**5)


def _surroundings() -> Reading:
    counts = {
        "click_fraud": {"warning": 2, "breach": 1, "open": 318},
        "complaint_sla": {"warning": 3, "breach": 0, "open": 41},
        "content_violation": {"warning": 0, "breach": 1, "open": 126},
    }
    values = {"negative_sentiment": {"brand:bank": (38.0, 100.0, "calm")}}
    return _reading("brand", values, timedelta(0), counts=counts)


def _hour() -> Tally:
    """The day's sums, in one hour."""
    counted = {
        "impressions": 1_840_000,
        "engagements": 495_000,
        "clicks": 61_300,
        "suspicious_clicks": 740,
        "spend": 402_500.0,
        "accounts_opened": 1_405,
        "purchases": 4_120,
        "purchase_amount": 61_800_000.0,
        "complaints": 46,
        "answered": 39,
        "answered_in_time": 38,
        "answer_seconds": 39 * 81_000.0,
    }
    ways = {"short-video": 0.4, "social-feed": 0.25, "search-ads": 0.15, "bank-app": 0.2}
    channels = {each: {name: value * way for name, value in counted.items()} for each, way in ways.items()}
    shares = {"young": (0.35, 0.43), "middle": (0.4, 0.37), "silver": (0.15, 0.21), "high_net_worth": (0.1, 0.24)}
    segments = {
        name: {"clicks": 10_000 * part, "purchases": 10_000 * part * rate} for name, (part, rate) in shares.items()
    }
    spoken = {"all": {"mentions": 412, "negative_mentions": 38}}
    sums = {"channel": channels, "segment": segments, "all": spoken}
    return Tally.model_validate({"writer": "indicators:channel:0", "hour": NOW.replace(minute=0), "sums": sums})


def _states() -> list[ChannelState]:
    full = {"by": "indicator:complaint_volume", "alert_id": _complaints().alert_id, "reason": _complaints().title.en}
    guarded = hold("short-video", **full, since=_ago(18))
    slow = {"kind": "throttle", "factor": 0.5, "indicator": "complaint_rate", "by": "indicator:complaint_rate"}
    half = hold("social-feed", **slow, since=_ago(47), alert_id=_rate().alert_id, reason=_rate().title.en)
    ramp = Ramp(state="opening", step=0.5, next_at=NOW + timedelta(minutes=6), wait_s=600)
    dear = {"kind": "throttle", "factor": 0.25, "indicator": "cac_spike", "by": "indicator:cac_spike", "ramp": ramp}
    opens = hold("search-ads", **dear, since=_ago(130), alert_id=_cost().alert_id, reason=_cost().title.en)
    request = asked("short-video", -9, guarded).model_copy(update={"reason": "the campaign's text was changed"})
    return [
        state(TARGET, "paused", guarded, requests=[request], platform={"confirmed_at": _ago(18)}),
        state("channel:social-feed", "throttled", half, factor=0.5),
        state("channel:search-ads", "throttled", opens, factor=0.5),
        *(state(f"channel:{each}", "running") for each in ("bank-app", "mini-program", "branches")),
    ]


def _ago(minutes: int) -> datetime:
    return NOW - timedelta(minutes=minutes)


def _complaints() -> AlertState:
    detail = {"products": {"steady-1": 17}}
    counted = {"complaints_opened": 21, "complaints_counted": 20, "anonymous": 3}
    told = evidence("complaint_volume", TARGET, _ago(18), detail, samples=counted)
    title = Bilingual(en="Short video: 20 complaints today, limit 20", zh="短视频：今日投诉 20 件，阈值 20")
    summary = Bilingual(
        en="From midnight to 17:12, 20 complaints of different customers were opened, 17 of them about Steady One. "
        "The channel was paused.",
        zh="今日零点至 17:12，共有 20 位不同客户投诉，其中 17 件涉及“稳健一号”，渠道已暂停。",
    )
    done = [step("pause", TARGET, "confirmed", -18)]
    return paused("short-video", -18, title=title, summary=summary, evidence=told, actions=done)


def _rate() -> AlertState:
    title = Bilingual(en="Social feed: 2.4 % complaints per purchase", zh="社交信息流：投诉率 2.4%")
    done = [step("throttle", "channel:social-feed", "confirmed", -47, "indicator:complaint_rate")]
    return slowed("social-feed", -47, title=title, actions=done, acknowledged_by="wang.fang")


def _cost() -> AlertState:
    title = Bilingual(en="Search ads: a new account cost 26 % more", zh="搜索广告：获客成本上升 26%")
    about: dict[str, Any] = {"indicator": "cac_spike", "severity": "warning", "subject": "channel:search-ads"}
    return alert("search-ads", "resolved", -130, title=title, summary=title, **about)


def _happened() -> list[AuditRecord]:
    about = {"target": TARGET, "alert_id": _complaints().alert_id}
    return [
        audit("paused", at=_ago(18), who="indicator:complaint_volume", detail={"left": 0.0}, **about),
        audit("confirmed", at=_ago(18), who="reconciler", what="confirmed", **about),
        audit("asked", at=_ago(9), who="person:li.wei", what="resume", outcome="waiting", **about),
    ]
