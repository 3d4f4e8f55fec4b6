"""Alerts as the rules write them, on an invented bank: some channels and products are in much of what happens."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final

from schemas.alerts import ActionTaken, AlertState
from schemas.base import Bilingual, Window
from schemas.commands import Evidence, PolicyVersion

NOON: Final = datetime(2026, 11, 23, 4, tzinfo=UTC)
_POPULAR: Final = "douyin app kuaishou wechat weibo xiaohongshu toutiao baidu"
CHANNELS: Final = (*_POPULAR.split(), "bilibili", "branch", "hotline", "sms", "partner-a", "partner-b")
PRODUCTS: Final = tuple(f"fund-{number:02}" for number in range(30))
HIGH_RISK: Final = PRODUCTS[:30:6]
SOURCES: Final = ("weibo", "xueqiu", "zhihu", "douyin", "news")


@dataclass
class Bank:
    """One draw of chance. Popularity falls as 1 by rank, so the first channels and products come up often."""

    random: Random
    busy: frozenset[str] = frozenset()
    """Where a lot happens just now, whatever the cause."""

    def some(self, names: tuple[str, ...], count: int = 1) -> list[str]:
        """Different ones, popular ones more often."""
        found: dict[str, None] = {}
        weights = [(10 if name in self.busy else 1) / (rank + 2) for rank, name in enumerate(names)]
        while len(found) < count:
            found[self.random.choices(names, weights)[0]] = None
        return list(found)

    def hex(self) -> str:
        """A pseudonym or an id that nobody else has."""
        return f"{self.random.getrandbits(128):032x}"

    def minutes(self, low: float, high: float) -> timedelta:
        """A stretch of time."""
        return timedelta(minutes=self.random.uniform(low, high))

    def counts(self, mostly: list[str], names: tuple[str, ...], others: int, share: float) -> dict[str, int]:
        """A hundred counts, of which a share is spread over a few names, the rest over some of the others."""
        counts = {name: max(1, round(100 * share / len(mostly))) for name in mostly}
        for name in self.some(names, others):
            counts.setdefault(name, max(1, round(100 * (1 - share) / others)))
        return dict(sorted(counts.items(), key=lambda item: -item[1]))

    def alert(
        self, indicator: str, subject: str, at: datetime, detail: dict[str, Any], orders: tuple[str, ...] = ()
    ) -> AlertState:
        """An alert that was opened then."""
        by = f"indicator:{indicator}"
        title = Bilingual(en=f"{indicator} {subject}", zh=f"{indicator} {subject}")
        return AlertState(
            alert_id=self.hex(),
            status="open",
            severity="critical",
            indicator=indicator,
            subject=subject,
            level=1,
            title=title,
            summary=title,
            opened_at=at,
            event_time=at,
            value=1.0,
            threshold=1.0,
            evidence=Evidence(
                indicator=indicator,
                subject=subject,
                value=1.0,
                threshold=1.0,
                window=Window(from_=at - timedelta(hours=1), to=at),
                policy=PolicyVersion(name="default", version=1),
                detail=detail,
            ),
            actions=[ActionTaken(what="pause", target=each, state="ordered", by=by, at=at) for each in orders],
        )

    # -- one alert of each kind, with what its rule's evidence names

    def complaints(self, channel: str, product: str | None, at: datetime) -> AlertState:
        """Complaints of a channel: mostly about one product, or about this and that."""
        share = self.random.uniform(0.5, 0.95)
        products = (
            self.counts([product], PRODUCTS, 3, share)
            if product
            else self.counts(self.some(PRODUCTS, 5), PRODUCTS, 3, 0.6)
        )
        indicator = self.random.choice(("complaint_volume", "complaint_volume", "complaint_rate"))
        subject = f"channel:{channel}"
        return self.alert(indicator, subject, at, {"products": products, "product_count": len(products)}, (subject,))

    def clicks(self, channels: list[str], links: list[str], accounts: list[str], at: datetime) -> AlertState:
        """One address that clicks."""
        own = [self.hex() for _ in range(self.random.randint(0, 3))]
        used = self.random.sample(accounts, min(len(accounts), self.random.randint(1, 4))) + own
        trace = {
            "channels": {name: self.random.randint(20, 100) for name in channels},
            "links": {name: self.random.randint(10, 60) for name in links},
            "accounts": {name: self.random.randint(1, 40) for name in used},
        }
        subject = f"actor:{self.hex()}"
        frozen = tuple(f"account:{name}" for name, count in trace["accounts"].items() if count >= 20)
        return self.alert("click_fraud", subject, at, {"trace": trace}, (subject, *frozen))

    def flood(self, channels: list[str], actor: str | None, accounts: list[str], at: datetime) -> AlertState:
        """One address that complains."""
        trace = {"channels": dict.fromkeys(channels, 5), "accounts": dict.fromkeys(accounts, 2), "complaint_count": 8}
        return self.alert("complaint_flood", f"actor:{actor or self.hex()}", at, {"trace": trace})

    def ratio(self, indicator: str, channel: str, at: datetime) -> AlertState:
        """A channel against the week before: nothing but the channel is known."""
        return self.alert(indicator, f"channel:{channel}", at, {"rate": 0.1, "rate_before": 0.2, "days": 7})

    def post(self, content: str, channels: list[str], product: str, text: str, at: datetime) -> AlertState:
        """A content item in violation."""
        detail = {"channels": channels, "in_violation": channels, "product": product, "fingerprint": text}
        return self.alert("content_violation", f"content:{content}", at, detail, (f"content:{content}",))

    def searches(self, product: str, carriers: list[str], at: datetime) -> AlertState:
        """A product that is much searched for and little bought."""
        promotions = tuple(f"promotion:{product}@{channel}" for channel in carriers)
        detail = {"growth": 3.0, "fall": 0.5, "carried_by": carriers, "carrier_count": len(carriers)}
        return self.alert("search_divergence", f"product:{product}", at, detail, promotions)

    def mentions(self, products: dict[str, int], at: datetime) -> AlertState:
        """Angry mentions."""
        by_source = self.counts(self.some(SOURCES, 2), SOURCES, 2, 0.8)
        report = {"by_source": by_source, "by_product": products, "quotes": []}
        return self.alert("negative_sentiment", "brand:all", at, {"report": report})

    def rate(self, at: datetime) -> AlertState:
        """A rate that rose: high-risk products are slowed."""
        slowed = tuple(f"product:{name}" for name in HIGH_RISK)
        return self.alert("market_volatility", "market:lpr_1y", at, {"readings": {"2026-09": 3.0}}, slowed)

    def late(self, channel: str, product: str | None, at: datetime) -> AlertState:
        """A complaint that nobody answers."""
        detail = {"channel": channel, "product": product, "entry": "hotline", "basis": "hours"}
        return self.alert("complaint_sla", f"complaint:{self.hex()[:12]}", at, detail)
