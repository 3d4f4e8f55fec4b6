"""Where personal data ends: an address or account becomes a keyed hash, the same wherever the same key is used."""

from collections.abc import Iterable
from hashlib import blake2b
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

PSEUDONYM_BYTES: Final = 16
MIN_KEY_BYTES: Final = 16
MAX_KEY_BYTES: Final = 64
"""What BLAKE2b takes as a key."""
_CACHE: Final = 100_000
"""Addresses in each of two generations."""


def canonical_address(text: str) -> IPv4Address | IPv6Network | None:
    """The address that a text stands for, None if it is no IP (some senders encode theirs).

    An IPv6 one is its /64, which is what one customer has; an IPv4 address inside IPv6 is that IPv4 address.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv4Address):
        return address
    return address.ipv4_mapped or IPv6Network((int(address) >> 64 << 64, 64))


class Pseudonyms:
    """Pseudonyms of one kind of value (`ip`, `account`) under one key; kinds never share one."""

    def __init__(self, key: bytes, kind: str) -> None:
        # Copying a hash that has its key costs half of making one.
        self._blank = blake2b(digest_size=PSEUDONYM_BYTES, key=key, person=kind.encode())

    def of(self, value: str) -> bytes:
        """The 16 bytes of a value."""
        digest = self._blank.copy()
        digest.update(value.encode())
        return digest.digest()

    def of_all(self, values: Iterable[str | None]) -> list[bytes | None]:
        """Those of many values, None for None."""
        copy = self._blank.copy
        found: list[bytes | None] = []
        for value in values:
            if value is None:
                found.append(None)
            else:
                digest = copy()
                digest.update(value.encode())
                found.append(digest.digest())
        return found


class Kept(Pseudonyms):
    """For values that are pseudonyms already, as 32 hex digits: their bytes."""

    def __init__(self) -> None:
        super().__init__(b"", "")

    def of(self, value: str) -> bytes:
        """The bytes of one."""
        return bytes.fromhex(value)

    def of_all(self, values: Iterable[str | None]) -> list[bytes | None]:
        """Those of many, None for None."""
        return [None if value is None else bytes.fromhex(value) for value in values]


def normal_address(text: str) -> str:
    """One spelling for an address in any of its spellings; what is no IP stays as it is."""
    if ":" not in text:
        return text  # IPv4 has only one
    address = canonical_address(text)
    return text if address is None else str(address)


class SharedAddresses:
    """The addresses and networks that many people share. What is no IP or network is compared as it is."""

    def __init__(self, entries: Iterable[str]) -> None:
        self._texts: set[str] = set()
        self._networks: list[IPv4Network | IPv6Network] = []
        for entry in entries:
            try:
                network = ip_network(entry, strict=False)
            except ValueError:
                self._texts.add(entry)
            else:
                # An IPv6 actor is a whole /64: an entry inside one means that one.
                if isinstance(network, IPv6Network) and network.prefixlen > 64:
                    network = network.supernet(new_prefix=64)
                self._networks.append(network)

    def __contains__(self, text: str) -> bool:
        if not self._networks and not self._texts:
            return False
        address = canonical_address(text)
        if address is None:
            return text in self._texts
        if isinstance(address, IPv4Address):
            return any(address in network for network in self._networks)
        return any(isinstance(each, IPv6Network) and address.subnet_of(each) for each in self._networks)


class Actors(dict[str, bytes | None]):
    """Actors by address: the pseudonym, None for a shared address.

    `actors[ip]` is a look-up, in two generations of bounded size.
    """

    def __init__(self, names: Pseudonyms, shared: SharedAddresses, limit: int = _CACHE) -> None:
        super().__init__()
        self._names = names
        self._shared = shared
        self._limit = limit
        self._older: dict[str, bytes | None] = {}

    def __missing__(self, text: str) -> bytes | None:
        if text in self._older:
            value = self._older[text]
        else:
            value = None if text in self._shared else self._names.of(normal_address(text))
        if len(self) >= self._limit:
            self._older = dict(self)
            self.clear()
        self[text] = value
        return value
