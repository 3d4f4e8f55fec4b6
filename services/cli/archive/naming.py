"""How a backtest calls actors and accounts whose addresses are pseudonyms already."""

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from services.ingest.frames.pseudonyms import Pseudonyms
from services.ingest.frames.routing import Router

LARGEST: Final = 65_536
"""Addresses (for IPv6: /64) of a shared network that are looked for in an archive one by one."""


def router(key: bytes, shared: Iterable[str]) -> Router:
    """Ingest's, for events that carry pseudonyms under `key`, without what is shared."""
    names = Pseudonyms(key, "ip")
    addresses = (address for entry in shared for address in _addresses(entry))
    return Router(None, [names.of(address).hex() for address in addresses])


def too_large(shared: Iterable[str]) -> list[str]:
    """The shared networks that cannot be told in an archive, since they have more than LARGEST addresses."""
    return [entry for entry in shared if _size(entry) > LARGEST]


def _size(entry: str) -> int:
    network = _network(entry)
    if network is None:
        return 1
    return int(network.num_addresses) >> 64 if isinstance(network, IPv6Network) else int(network.num_addresses)


def _addresses(entry: str) -> Iterator[str]:
    """All that count as one actor each, in the spelling that a pseudonym is made of."""
    network = _network(entry)
    if network is None:
        yield entry
    elif _size(entry) <= LARGEST:
        each = network.subnets(new_prefix=64) if isinstance(network, IPv6Network) else network
        yield from map(str, each)


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    """None for what is no address; of an address inside a /64, that one."""
    try:
        network = ip_network(entry, strict=False)
    except ValueError:
        return None
    return network.supernet(new_prefix=64) if isinstance(network, IPv6Network) and network.prefixlen > 64 else network
