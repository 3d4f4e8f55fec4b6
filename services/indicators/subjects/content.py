"""Content: which texts stand on which channels, judged with every event, and again while they are in trouble."""

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from schemas.content import ContentPolicy
from schemas.frames import RAW_TOPIC_ORDER, AnyFrame, ContentFrame, source_name
from schemas.topics import CHANNEL_EVENTS
from services.indicators.standing import Ledger, Standing, fresh
from services.indicators.subjects.postings import Content, Known, Posting
from services.indicators.subjects.store import Note, OnlyByEvents, Surroundings, Touched
from services.scanning.report import Figures, Material, Report
from services.scanning.scanner import Scanner

PANE_MS: Final = 60_000
"""Short, since the deadline of a take-down is looked at when one closes."""
KEPT_MS: Final = 90 * 86_400_000
"""A content that nothing was heard of for so long is forgotten, though it may still stand somewhere."""
POSTINGS: Final = "postings"

_REPORTS: Final = 1024
"""Texts whose reports are remembered: what is in trouble is judged at every close."""
_POSTING: Final = b"b"
_KNOWN: Final = b"c"
_ENCODER: Final = msgspec.msgpack.Encoder()
_POSTING_DECODER: Final = msgspec.msgpack.Decoder(Posting)
_KNOWN_DECODER: Final = msgspec.msgpack.Decoder(Known)
_NOTHING: Final = Content()


class Texts:
    """A policy's lists, compiled once."""

    def __init__(self, policy: ContentPolicy) -> None:
        self._scan = lru_cache(_REPORTS)(Scanner(policy).scan)

    def report(self, posting: Posting, figures: Figures) -> Report:
        """What is wrong with a posting, but for tampering."""
        material = Material(
            body=posting.body or "",
            disclosure_share=posting.disclosure_share,
            disclosure_font_ratio=posting.disclosure_font_ratio,
            reviewers=posting.reviewers,
        )
        return self._scan(material, figures)


class ContentView:
    """One content item as its rules see it."""

    def __init__(self, content: Content, texts: Texts) -> None:
        self._content = content
        self.report = texts.report

    def standing(self, now_ms: int) -> list[Posting]:
        """What is on each channel as of a moment, by channel."""
        return self._content.standing(now_ms)

    def sources(self) -> list[tuple[int, int, int]]:
        """`(source, from, to)`: where all of its postings lie: what a body is held against, and how often it was
        corrected, rests on those that have been replaced as well."""
        return [(source, first, after) for source, (first, after) in sorted(self._content.known.reach.items())]


class ContentStore(OnlyByEvents):
    """All content of one partition."""

    kind = "content"
    pane_ms = PANE_MS
    feeds = frozenset({RAW_TOPIC_ORDER.index(CHANNEL_EVENTS)})
    rebuilt = False
    inputs = frozenset({POSTINGS})

    def __init__(self) -> None:
        self._contents: dict[str, Content] = {}
        self._unsettled: set[str] = set()
        self._changed: dict[bytes, Known | Posting | None] = {}
        self._texts: tuple[Surroundings, Texts] | None = None

    def watch(self, floors: Mapping[str, int]) -> None:
        """Every posting is judged."""

    def follow(self, subject: str, troubled: bool) -> None:
        """Likewise; but a body that comes while the content is in trouble is its correction."""
        name = _name(subject)
        content = self._contents.get(name)
        if content is not None and content.follow(troubled):
            self._changed[_known_key(name)] = content.known

    def fold(self, offset: int, frame: AnyFrame, standing: Standing, ledger: Ledger | None) -> Iterator[Touched]:
        """Adds the new postings of a frame, each to be judged before the next: that one may correct it."""
        if not isinstance(frame, ContentFrame):
            raise TypeError(f"a {type(frame).__name__} on the log of content")
        oldest = 0 if standing.closed_ms is None else standing.closed_ms - KEPT_MS
        for source, row in fresh(frame.slices, frame.rows, oldest, standing, ledger):
            content = self._contents.setdefault(row.content_id, Content())
            posting = content.add(source, row)
            self._unsettled.add(row.content_id)
            self._changed[_known_key(row.content_id)] = content.known
            self._changed[_posting_key(row.content_id, posting)] = posting
            ends = sorted({each.at_ms + 1 for each in content.postings if each.at_ms >= row.at_ms})
            yield Touched(f"content:{row.content_id}", {POSTINGS: ends}, _note(posting))

    def everything(self, since_ms: int) -> list[Touched]:
        """All that stands, as of now: what was allowed may be so no longer."""
        return [
            Touched(f"content:{name}", {POSTINGS: [max(content.postings[-1].at_ms + 1, since_ms)]})
            for name, content in sorted(self._contents.items())
            if content.standing()
        ]

    # -- looking

    def earliest_ms(self) -> int | None:
        """The start of the oldest pane there is."""
        times = (content.postings[0].at_ms for content in self._contents.values() if content.postings)
        return min((at_ms // PANE_MS * PANE_MS for at_ms in times), default=None)

    def later(self, subject: str, end_ms: int) -> list[int]:
        """Right after each later posting."""
        content = self._contents.get(_name(subject), _NOTHING)
        return sorted({each.at_ms + 1 for each in content.postings if each.at_ms >= end_ms})

    def view(self, subject: str, around: Surroundings) -> ContentView:
        """One content item to look at."""
        if self._texts is None or self._texts[0] is not around:
            self._texts = around, Texts(around.policy.content)
        return ContentView(self._contents.get(_name(subject), _NOTHING), self._texts[1])

    # -- forgetting, saving, loading

    def overfull_ms(self, newest_ms: int) -> int | None:
        """Texts are never too many to keep."""
        return None

    def evict(self, closed_ms: int) -> None:
        """Forgets replaced bodies, and content of long ago."""
        for name in sorted(self._unsettled):
            content = self._contents[name]
            self._forget(name, content.settle(closed_ms))
            if all(each.at_ms < closed_ms for each in content.postings):
                self._unsettled.discard(name)
        oldest = closed_ms - KEPT_MS
        for name in [name for name, content in self._contents.items() if content.known.last_ms < oldest]:
            self._forget(name, self._contents.pop(name).postings)
            self._changed[_known_key(name)] = None
            self._unsettled.discard(name)

    def _forget(self, name: str, postings: Iterable[Posting]) -> None:
        self._changed.update((_posting_key(name, posting), None) for posting in postings)

    def oldest_offset(self) -> int | None:
        """Nothing is rebuilt from the log."""
        return None

    def changed(self) -> Iterator[tuple[bytes, bytes | None]]:
        """A record for each posting, and one for each content with what is known of it."""
        for key, value in sorted(self._changed.items(), key=lambda item: item[0]):
            yield key, None if value is None else _ENCODER.encode(value)
        self._changed.clear()

    def load(self, records: Iterable[tuple[bytes, bytes]]) -> None:
        """Takes back snapshot records."""
        for key, value in records:
            name = key[1:].partition(b"\0")[0].decode()
            content = self._contents.setdefault(name, Content())
            if key.startswith(_KNOWN):
                content.known = _KNOWN_DECODER.decode(value)
            else:
                content.postings.append(_POSTING_DECODER.decode(value))
        for content in self._contents.values():
            content.postings.sort()
        self._unsettled.update(self._contents)


def _name(subject: str) -> str:
    return subject.removeprefix("content:")


def _known_key(name: str) -> bytes:
    return _KNOWN + name.encode()


def _posting_key(name: str, posting: Posting) -> bytes:
    return _POSTING + f"{name}\0{posting.source}.{posting.offset}".encode()


def _note(posting: Posting) -> Note | None:
    """For the audit: which body was published where."""
    if posting.body is None:
        return None
    topic, partition = source_name(posting.source)
    detail = {"fingerprint": posting.fingerprint, "channel": posting.channel, "product": posting.product}
    return Note("content_published", f"{topic}/{partition}/{posting.offset}", detail)
