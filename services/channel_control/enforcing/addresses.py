"""Where a target is acted on: which platform serves it, and under which ids there. The policy's directory says so."""

from dataclasses import dataclass
from typing import Final

from schemas.directory import Directory

DEFAULT: Final = "default"
"""The platform of whatever the directory names none for."""


@dataclass(frozen=True, slots=True)
class Address:
    """`platform`: its name in the list of platforms. `campaigns`: the channel's ids there."""

    platform: str = DEFAULT
    campaigns: tuple[str, ...] = ()


def address_of(target: str, directory: Directory) -> Address:
    """A channel's own, or that of a promotion's channel, of whose campaigns none is known to be the promotion's."""
    kind, _, name = target.partition(":")
    if kind == "promotion":
        name = name.rpartition("@")[2]
    entry = directory.channels.get(name) if kind in ("channel", "promotion") else None
    if entry is None or entry.platform is None:
        return Address()
    return Address(entry.platform, tuple(entry.campaigns) if kind == "channel" else ())
