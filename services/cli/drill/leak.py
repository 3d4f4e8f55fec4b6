"""The drill of a leak: what a made-up person does, which token has leaked, and what must not be found. Pure.

Its token is taken out by people while the drill tries it again and again; then everything behind ingest is searched for
what is personal, and for the pseudonyms by which the person's traces are known.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv6Address
from typing import Final

from schemas.events import Click, ComplaintClosed, ComplaintOpened
from schemas.topics import frames
from services.cli.drill.canaries import forms
from services.cli.drill.course import MARK, Drill, marked
from services.ingest.frames.pseudonyms import Pseudonyms, normal_address

STEPS: Final[Mapping[str, str]] = {
    "accepted": "the gateway has taken what a made-up person did, with the token that has leaked",
    "traced": "the person's traces are found by pseudonym behind ingest",
    "refused": "the gateway refuses the token: people have taken it out",
    "renewed": "the gateway takes the token in its place",
    "clean": "what is personal is found nowhere behind ingest, and in none of the given files",
}
_DOCUMENTATION: Final = int(IPv6Address("2001:db8::"))
"""Addresses that nobody has."""


@dataclass(frozen=True, slots=True)
class Leak:
    """A person and a complaint that are made up, on a marked channel. chance: 16 hex digits of the person's own; those
    of the ids are others, since ids may go everywhere."""

    channel: str
    chance: str
    ids: str
    key: bytes = field(repr=False)

    @property
    def account(self) -> str:
        return f"person-{self.chance}"

    @property
    def address(self) -> str:
        return str(IPv6Address(_DOCUMENTATION | int(self.chance[:12], 16) << 48 | 7))

    def personal(self) -> dict[str, set[bytes]]:
        """What must not be found, by what it is, in all the ways in which it may be written."""
        network = normal_address(self.address).removesuffix("::/64")
        values = {"address": network, "account": self.account, "text": self._text, "contact": self._contact}
        return {name: forms(value) for name, value in values.items()}

    def pseudonyms(self) -> list[bytes]:
        """Of the address and of the account."""
        given = {"ip": normal_address(self.address), "account": self.account}
        return [Pseudonyms(self.key, kind).of(value) for kind, value in given.items()]

    @property
    def _text(self) -> str:
        return f"演练 a drill, my name is {self.chance[::-1]}"

    @property
    def _contact(self) -> str:
        return f"{self.chance}@drill.invalid"

    def did(self, at: datetime) -> tuple[Click, ComplaintOpened]:
        """What the person did."""
        return (
            Click(
                type="click",
                event_id=f"{MARK}{self.ids}-click",
                occurred_at=at,
                channel_id=self.channel,
                ip=self.address,
                account_id=self.account,
            ),
            ComplaintOpened(
                type="complaint_opened",
                event_id=f"{MARK}{self.ids}-opened",
                occurred_at=at,
                channel_id=self.channel,
                complaint_id=f"{MARK}{self.ids}",
                entry="hotline",
                account_id=self.account,
                ip=self.address,
                text=self._text,
                contact=self._contact,
            ),
        )

    def closed(self, at: datetime) -> ComplaintClosed:
        """The complaint is closed, so that nobody is called for it."""
        return ComplaintClosed(
            type="complaint_closed",
            event_id=f"{MARK}{self.ids}-closed",
            occurred_at=at,
            channel_id=self.channel,
            complaint_id=f"{MARK}{self.ids}",
        )

    @property
    def still_open(self) -> str:
        """A note of the report, where neither token is taken in the end."""
        return f"**Still open**: complaint `{MARK}{self.ids}`, for which people will be called. Close it as any other."

    def drill(self, within_s: float) -> Drill:
        """The drill of it."""
        return Drill(
            name="leak",
            about=f"on channel `{self.channel}`, complaint `{MARK}{self.ids}` of a person who does not exist",
            since="sending",
            steps=STEPS,
            within_s=within_s,
            watches=(frames("actor"),),
            shown_by=self._shown_by,
            left="the person's events in the raw topics for 14 days, and the traces named above",
        )

    def _shown_by(self, topic: str, value: bytes) -> Iterator[str]:
        if any(pseudonym in value for pseudonym in self.pseudonyms()):
            yield "traced"


def leak_of(channel: str, chance: str, ids: str, key: bytes) -> Leak:
    """Raises NotMarkedError. chance, ids: 16 hex digits each that no drill had before; key: of ingest's pseudonyms."""
    return Leak(marked("channel", channel), chance, ids, key)


@dataclass(slots=True)
class Search:
    """What was found, by place."""

    leak: Leak
    found: dict[str, set[str]] = field(default_factory=dict)
    traces: Counter[str] = field(default_factory=Counter)
    records: int = 0

    def look(self, place: str, contents: Iterable[bytes]) -> None:
        """Searches records of a topic, or lines of a file."""
        personal, pseudonyms = self.leak.personal(), self.leak.pseudonyms()
        traces = {form for each in pseudonyms for form in (each, each.hex().encode())}
        for content in contents:
            self.records += 1
            self.traces[place] += any(trace in content for trace in traces)
            for name, written in personal.items():
                if any(form in content for form in written):
                    self.found.setdefault(place, set()).add(name)

    def notes(self) -> Iterator[str]:
        """What the report says of it; never the values."""
        traces = ", ".join(f"`{place}` ({count})" for place, count in self.traces.items() if count)
        yield f"Searched: {self.records:,} records and lines. By pseudonym the person is in {traces or 'no place'}."
        for place, names in sorted(self.found.items()):
            yield f"**Found in `{place}`**: {', '.join(sorted(names))}."
