"""Raw records as an archive would give them back: without personal data, actors and accounts under pseudonyms."""

from collections.abc import Iterable

from schemas.topics import RAW_TOPICS
from services.cli.archive.rows import Masking, Restoring
from services.cli.backtest.pipeline import RawRecord
from services.ingest.reading.records import Records


class Alike:
    """key: that of the archive; under another one everybody has another name than there."""

    def __init__(self, key: bytes) -> None:
        self._masking = {topic: Masking(topic, key) for topic in RAW_TOPICS}
        self._restoring = {topic: Restoring(topic) for topic in RAW_TOPICS}

    def records(self, found: Iterable[RawRecord]) -> list[RawRecord]:
        """Some of one source partition, in the order of their offsets."""
        given = list(found)
        if not given:
            return []
        topic, partition = given[0].topic, given[0].partition
        columns = Records(
            given[0].offset,
            given[-1].offset + 1,
            [each.offset for each in given],
            [each.stamp_ms for each in given],
            [each.value for each in given],
        )
        return [self._restoring[topic].record(row) for row in self._masking[topic].rows(partition, columns)]
