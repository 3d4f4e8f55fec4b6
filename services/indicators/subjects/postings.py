"""One content item: where it stands and in which words, and which of its bodies are known.

Tampered is decided when a body comes, by what is known of the content at that point of the log. A body that says which
one its reviewers saw is what they saw, or it is tampered. One that does not say is in order if it is the first, or
known as in order. Another one is tampered, unless the content was in trouble: then it is the correction that was asked
for. A body that is known as tampered is none.
"""

from bisect import bisect_left, insort
from typing import Final, Literal, NamedTuple

import msgspec

from schemas.rows import ContentRow
from services.scanning.fingerprints import fingerprint

MAX_VERSIONS: Final = 100
"""Bodies known of one content, those that came last; going back to an older one is tampering."""
MAX_ROUNDS: Final = 100

Tampered = Literal["", "unreviewed", "changed"]
"""`unreviewed`: not the body that its reviewers saw. `changed`: another one than before, and nobody says why."""


class Posting(NamedTuple):
    """A body put on a channel, or taken from it (then there is none).

    round: how many came before it while the content was in trouble, so that what is ordered against it is a new order.
    """

    at_ms: int
    source: int
    offset: int
    channel: str
    body: str | None
    product: str | None = None
    disclosure_share: float | None = None
    disclosure_font_ratio: float | None = None
    reviewers: int = 0
    fingerprint: str = ""
    tampered: Tampered = ""
    round: int = 0

    @property
    def place(self) -> tuple[int, int]:
        """Where in the raw topics its event stands."""
        return self.source, self.offset


class Known(msgspec.Struct):
    """versions: by fingerprint, the newest last, whether that body is in order, which is not tampered. troubled: an
    episode stands, or its body was taken down and no other has come since. rounds: see Posting. last_ms: its newest
    event. reach: by source, the offsets `[first, next)` that all its events lie in."""

    versions: dict[str, bool] = {}
    troubled: bool = False
    rounds: int = 0
    last_ms: int = 0
    reach: dict[int, tuple[int, int]] = {}


class Content:
    """One content item. postings: the newest of each channel, and those after the newest close, in order of time."""

    def __init__(self) -> None:
        self.known = Known()
        self.postings: list[Posting] = []

    def add(self, source: int, row: ContentRow) -> Posting:
        """Takes in one event."""
        self.known.last_ms = max(self.known.last_ms, row.at_ms)
        first, _ = self.known.reach.get(source, (row.offset, 0))
        self.known.reach[source] = first, row.offset + 1
        posting = self._published(source, row) if row.published else _removed(source, row)
        insort(self.postings, posting)
        return posting

    def _published(self, source: int, row: ContentRow) -> Posting:
        known, mark = self.known, fingerprint(row.body)
        tampered = self._tampered(mark, row.reviewed)
        before = known.versions.pop(mark, None)
        known.versions[mark] = not tampered or before is True
        if len(known.versions) > MAX_VERSIONS:
            del known.versions[next(iter(known.versions))]
        known.rounds = min(known.rounds + 1, MAX_ROUNDS) if known.troubled else 0
        known.troubled = False  # until it is judged
        return Posting(
            row.at_ms,
            source,
            row.offset,
            row.channel,
            row.body,
            row.product,
            row.disclosure_share,
            row.disclosure_font_ratio,
            row.reviewers,
            mark,
            tampered,
            known.rounds,
        )

    def _tampered(self, mark: str, reviewed: str | None) -> Tampered:
        if reviewed is not None:
            return "" if reviewed == mark else "unreviewed"
        in_order = self.known.versions.get(mark)
        if in_order is not None:
            return "" if in_order else "changed"
        return "changed" if self.known.versions and not self.known.troubled else ""

    def follow(self, troubled: bool) -> bool:
        """An episode stands, or has ended; whether that changes anything. If it ended because the content was taken
        down, the body that comes next is its correction."""
        troubled = troubled or (self.known.troubled and not self.standing())
        changed, self.known.troubled = troubled != self.known.troubled, troubled
        return changed

    def standing(self, now_ms: int | None = None) -> list[Posting]:
        """What is on each channel, now or as of a moment, by channel."""
        known = self.postings if now_ms is None else self.postings[: bisect_left(self.postings, (now_ms,))]
        newest = {posting.channel: posting for posting in known}
        return [newest[channel] for channel in sorted(newest) if newest[channel].body is not None]

    def settle(self, closed_ms: int) -> list[Posting]:
        """Drops what was replaced or taken down before this time, and returns it. What comes later may be read before
        the panes until then have closed."""
        standing = {posting.place for posting in self.standing(closed_ms)}
        kept, dropped = list[Posting](), list[Posting]()
        for posting in self.postings:
            (kept if posting.at_ms >= closed_ms or posting.place in standing else dropped).append(posting)
        self.postings = kept
        return dropped


def _removed(source: int, row: ContentRow) -> Posting:
    return Posting(row.at_ms, source, row.offset, row.channel, None, row.product)
