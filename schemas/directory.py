"""The directory in the policy: what channels and products are called, whose they are, and how risky.

An id that is not here is served all the same.
"""

from typing import Literal

from schemas.base import Bilingual, Name
from schemas.closed import Closed

RiskClass = Literal["low", "medium", "high"]
ProductKind = Literal["deposit", "money_market", "bond", "mixed", "equity", "insurance", "other"]


class Label(Closed):
    """A name in both languages."""

    en: Name
    zh: Name

    def bilingual(self) -> Bilingual:
        """As in a message."""
        return Bilingual(en=self.en, zh=self.zh)


class ChannelEntry(Closed):
    """One channel. `platform`: the adapter that acts on it; `campaigns`: its ids there."""

    name: Label
    owner: Name | None = None
    platform: Name | None = None
    campaigns: list[Name] = []


class ProductEntry(Closed):
    """One product."""

    name: Label
    owner: Name | None = None
    kind: ProductKind = "other"
    risk: RiskClass = "medium"


class Directory(Closed):
    """Channels and products by their ids."""

    channels: dict[Name, ChannelEntry] = {}
    products: dict[Name, ProductEntry] = {}

    def label(self, subject: str) -> Bilingual | None:
        """What a `channel:<id>` or `product:<id>` is called, None where nobody has named it."""
        kind, _, name = subject.partition(":")
        entry: ChannelEntry | ProductEntry | None = None
        if kind == "channel":
            entry = self.channels.get(name)
        elif kind == "product":
            entry = self.products.get(name)
        return None if entry is None else entry.name.bilingual()

    def high_risk(self) -> list[str]:
        """The ids of the products of the highest risk class, sorted."""
        return sorted(name for name, entry in self.products.items() if entry.risk == "high")
