"""Signed heads of the audit's chains: made with one Ed25519 key, checked with its public half. Pure."""

from base64 import b64decode, b64encode
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from schemas.audit import ChainHead, SignedHead
from services.runtime.machines.chain import ChainName, canonical


class Vouched(NamedTuple):
    """What is kept of a signed head, since there may be many."""

    digest: str
    at: datetime


Signed = Mapping[ChainName, Mapping[int, Vouched]]
"""By chain and number."""
HOW: Final = "openssl genpkey -algorithm ed25519 makes one"


class BadKeyError(ValueError):
    """What should be a key is none."""


def private_key(pem: str) -> Ed25519PrivateKey:
    """The key to sign with, from PEM. Raises BadKeyError, which does not quote it."""
    try:
        key = load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKeyError(f"the audit key is no Ed25519 key in PEM without a password; {HOW}")
    return key


def public_key(pem: str) -> Ed25519PublicKey:
    """A key to check signatures with, from PEM. Raises BadKeyError."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise BadKeyError("is no public Ed25519 key in PEM; tidegate audit key prints one")
    return key


def pem_of(key: Ed25519PublicKey) -> str:
    """A public key as PEM."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def signed(head: ChainHead, key: Ed25519PrivateKey) -> SignedHead:
    """A head with its signature."""
    return SignedHead(**head.model_dump(), signature=b64encode(key.sign(_said(head))).decode())


def line_of(head: SignedHead) -> bytes:
    """A head as a file keeps it."""
    return canonical(head.model_dump(mode="json")) + b"\n"


def is_signed(head: SignedHead, keys: Iterable[Ed25519PublicKey]) -> bool:
    """Whether one of the keys signed it."""
    for key in keys:
        try:
            key.verify(b64decode(head.signature), _said(head))
        except InvalidSignature:
            continue
        return True
    return False


def _said(head: ChainHead) -> bytes:
    return canonical(head.model_dump(mode="json", exclude={"signature"}))


class HeadBook:
    """Lines of files of heads, folded. problems: lines behind which nobody's word stands, or that contradict others."""

    def __init__(self, keys: Sequence[Ed25519PublicKey]) -> None:
        self.signed: dict[ChainName, dict[int, Vouched]] = defaultdict(dict)
        self.problems: list[str] = []
        self.count = 0
        self._keys = keys

    def add(self, where: str, line: bytes) -> None:
        """Takes in one line; `where` it is, for people."""
        try:
            head = SignedHead.model_validate_json(line)
        except ValueError:
            self.problems.append(f"{where}: is no signed head")
            return
        if not is_signed(head, self._keys):
            self.problems.append(f"{where}: the signature is not of this key, or the line was changed")
            return
        self.count += 1
        known = self.signed[head.writer, head.partition].setdefault(head.number, Vouched(head.digest, head.at))
        if known.digest != head.digest:
            at = f"{known.at:%Y-%m-%d %H:%M:%S} UTC"
            self.problems.append(f"{where}: contradicts the head signed at {at}: the chain was rewritten between")

    def newest(self) -> datetime | None:
        """When the last one was signed."""
        return max((head.at for heads in self.signed.values() for head in heads.values()), default=None)
