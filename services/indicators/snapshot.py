"""The records of an indicators machine in its snapshots, other than those of its windows.

`machine` holds a Progress, `policy` the document in force, and `e…` an episode each.
"""

from typing import Final

import msgspec

from services.indicators.standing import Standing
from services.indicators.verdicts.episodes import Episode, Key

FORMAT: Final = 2
MACHINE: Final = b"machine"
POLICY: Final = b"policy"
EPISODE: Final = b"e"


class Trouble(msgspec.Struct):
    """An alert about the indicators themselves, and the code and policy under which it came up."""

    alert_id: str
    opened_ms: int
    digest: str
    policy: str


class Progress(msgspec.Struct):
    """at: where the machine stands. points: where it stood at earlier snapshots, the first being where a restart begins
    to fold again. ledger: `(source, folded, too late)`. seq: alert facts written. troubles: by what they are about.
    anew: `(source, since_ms, reached, known)` where ingest has begun its books anew. told_minute, untold: up to which
    minute of the marks people were told the hours' sums, and the hours that have changed since. cases: the complaints
    that people were not told of yet; None: of none, as before there was such a thing.
    """

    at: Standing
    points: list[Standing]
    ledger: list[tuple[int, int, int]]
    seq: int
    troubles: dict[str, Trouble]
    anew: list[tuple[int, int, int, int]] = []
    told_minute: int = 0
    untold: list[int] = []
    cases: list[str] | None = None
    v: int = FORMAT


_ENCODER: Final = msgspec.msgpack.Encoder()
_PROGRESS: Final = msgspec.msgpack.Decoder(Progress)
_EPISODE: Final = msgspec.msgpack.Decoder(Episode)


def encode(record: Progress | Episode) -> bytes:
    """The value of a snapshot record."""
    return _ENCODER.encode(record)


def decode_progress(value: bytes) -> Progress:
    """The Progress under `machine`; another format raises ValueError."""
    progress = _PROGRESS.decode(value)
    if progress.v != FORMAT:
        raise ValueError(f"a snapshot of format {progress.v}, this release reads {FORMAT}")
    return progress


def decode_episode(value: bytes) -> Episode:
    """An episode."""
    return _EPISODE.decode(value)


def episode_key(key: Key) -> bytes:
    """The key of an episode's record."""
    indicator, strand, subject, day, shadow = key
    name = f"{indicator}/{strand}" if strand else indicator
    return EPISODE + "\0".join((name, day, "shadow" if shadow else "", subject)).encode()
