"""An archive's folder: Parquet files, and a lock for the one who writes. The only module that needs pyarrow,
so others import it where they use it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path, PurePosixPath
from typing import Any, Final

from services.cli.archive.columns import Kind, columns_of
from services.cli.archive.pieces import ArchiveError, Piece, Pieces, piece_of
from services.cli.archive.rows import Row

try:
    import pyarrow as pa
    from pyarrow import parquet
except ModuleNotFoundError:
    raise ArchiveError("an archive needs pyarrow: pip install 'tidegate[archive]'") from None

FILE_BYTES: Final = 128 * 1024 * 1024
"""In memory, some million events; then a file is written although its day goes on."""
_READ_ROWS: Final = 10_000
_UNFINISHED: Final = ".unfinished"
_LOCK: Final = ".lock"
_TYPES: Final[dict[Kind, Any]] = {
    "text": pa.string(),
    "texts": pa.list_(pa.string()),
    "integer": pa.int64(),
    "number": pa.float64(),
    "time": pa.timestamp("ms", tz="UTC"),
}


def _schema(topic: str) -> Any:
    return pa.schema([(name, _TYPES[kind]) for name, kind in columns_of(topic).items()])


def pieces_in(folder: Path) -> Pieces:
    """What an archive holds. Raises ArchiveError."""
    paths = (path.relative_to(folder) for path in folder.glob("*/*/*.parquet"))
    return Pieces(piece_of(PurePosixPath(path)) for path in paths)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Makes the folder if need be and keeps every other writer out. Raises ArchiveError if there is one."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ArchiveError(f"somebody else is writing to {folder}") from None
        yield


class Filling:
    """What is to be the next file of one source partition.

    position: the offset up to which rows were added. records: how many. written: the files so far.
    """

    def __init__(self, folder: Path, topic: str, partition: int, position: int) -> None:
        self.position = position
        self.records = 0
        self.written: list[Piece] = []
        self._folder = folder
        self._source = topic, partition
        self._schema = _schema(topic)
        self._first = position
        self._day: date | None = None
        self._batches: list[Any] = []

    def add(self, day: date, rows: list[Row], next_offset: int) -> None:
        """Takes the next rows in, all appended on one day, and whatever else there was before `next_offset`."""
        if day != self._day:
            self.finish()
            self._day = day
        self._batches.append(pa.RecordBatch.from_pylist(rows, schema=self._schema))
        self.position = next_offset
        self.records += len(rows)
        if sum(batch.nbytes for batch in self._batches) >= FILE_BYTES:
            self.finish()

    def finish(self) -> None:
        """Writes what was added, if anything, so that it is there whole and for good or not at all."""
        if self._day is None or not self._batches:
            return
        topic, partition = self._source
        piece = Piece(topic, self._day, partition, self._first, self.position)
        path, unfinished = self._folder / piece.path, self._folder / _UNFINISHED
        path.parent.mkdir(parents=True, exist_ok=True)
        parquet.write_table(pa.Table.from_batches(self._batches), unfinished, compression="zstd")
        _sync(unfinished)
        unfinished.rename(path)
        for folder in (path.parent, path.parent.parent, self._folder):
            _sync(folder)
        self.written.append(piece)
        self._first = self.position
        self._batches.clear()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(folder: Path, piece: Piece) -> Iterator[Row]:
    """The rows of one file, times as milliseconds. Columns of later releases are passed over. Raises ArchiveError for a
    file that is broken."""
    try:
        with parquet.ParquetFile(folder / piece.path) as file:
            there = set(file.schema_arrow.names)
            wanted = [field for field in _schema(piece.topic) if field.name in there]
            # A thread for each core of the machine would be more than a container may have.
            for batch in file.iter_batches(_READ_ROWS, columns=[field.name for field in wanted], use_threads=False):
                used = [field for field in wanted if batch[field.name].null_count < len(batch)]
                columns = {field.name: _plain(batch[field.name].cast(field.type)) for field in used}
                yield from pa.RecordBatch.from_pydict(columns).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise ArchiveError(f"{piece.path} cannot be read: {error}") from error


def _plain(column: Any) -> Any:
    return column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column
