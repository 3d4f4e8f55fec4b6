"""What the console says of names: the policy's directory, and the ids that nobody has named yet. Pure."""

from collections.abc import Iterable

from pydantic import BaseModel, Field

from schemas.base import Name
from schemas.directory import ChannelEntry, Directory, ProductEntry


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


def answer_of(label: str | None, directory: Directory, subjects: Iterable[str]) -> DirectoryAnswer:
    """The directory of a policy, and who of the subjects is missing in it."""
    met = [each for subject in subjects for each in _ids(subject)]
    channels, products = ({name for kind, name in met if kind == wanted} for wanted in ("channel", "product"))
    unnamed = Unnamed(
        channels=sorted(channels - directory.channels.keys()), products=sorted(products - directory.products.keys())
    )
    return DirectoryAnswer(policy=label, channels=directory.channels, products=directory.products, unnamed=unnamed)


def _ids(subject: str) -> list[tuple[str, str]]:
    """`promotion:<product>@<channel>` speaks of two."""
    kind, _, name = subject.partition(":")
    if kind == "promotion" and "@" in name:
        product, _, channel = name.rpartition("@")
        return [("product", product), ("channel", channel)]
    return [(kind, name)]
