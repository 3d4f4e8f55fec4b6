"""What the console says of names: the policy's directory, and the ids that nobody has named yet. Pure."""

from collections.abc import Iterator

from pydantic import BaseModel, Field

from schemas.base import Name
from schemas.directory import ChannelEntry, Directory, ProductEntry
from services.console.state.views import Alerts, Channels


class Unnamed(BaseModel):
    """Ids that were met in targets and alerts and are not in the directory."""

    channels: list[str]
    products: list[str]


class DirectoryAnswer(BaseModel):
    """What channels and products are called."""

    policy: str | None = Field(description="`name/version` whose directory this is; null where none is in force.")
    channels: dict[Name, ChannelEntry]
    products: dict[Name, ProductEntry]
    unnamed: Unnamed


def unnamed(directory: Directory, channels: Channels, alerts: Alerts) -> Unnamed:
    """Who of all targets and subjects of alerts is missing in a directory."""
    met = {each for subject in _subjects(channels, alerts) for each in _ids(subject)}
    ids = {wanted: {name for kind, name in met if kind == wanted} for wanted in ("channel", "product")}
    return Unnamed(
        channels=sorted(ids["channel"] - directory.channels.keys()),
        products=sorted(ids["product"] - directory.products.keys()),
    )


def _subjects(channels: Channels, alerts: Alerts) -> Iterator[str]:
    yield from (state.target for state in channels.values())
    yield from (alert.subject for alert in alerts.values())


def _ids(subject: str) -> list[tuple[str, str]]:
    """`promotion:<product>@<channel>` speaks of two."""
    kind, _, name = subject.partition(":")
    if kind == "promotion" and "@" in name:
        product, _, channel = name.rpartition("@")
        return [("product", product), ("channel", channel)]
    return [(kind, name)]
