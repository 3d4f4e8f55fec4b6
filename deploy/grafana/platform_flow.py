"""*Tidegate*, first half: whether it is well, what comes in, and how far behind it is."""

from typing import Final

from deploy.grafana.pieces import Panel, Query, Row, no_more_than, none_at_all, now
from deploy.grafana.promql import rate

_BOOK: Final = "docs/runbooks.md"
_NAMES: Final = "docs/metrics.md"

WELL: Final = Row(
    "Is it well?",
    [
        now(
            Panel(
                "Processes that do not answer",
                "Targets that Prometheus could not scrape last time. None is right.",
                "none",
                (Query('count(up{job!="prometheus"} == 0) or vector(0)'),),
                f"{_BOOK}#tidegatedown",
                none_at_all(),
            )
        ),
        now(
            Panel(
                "Parts that are not well",
                "Parts of processes that wait for something or are stuck, as /readyz tells them.",
                "none",
                (Query("count(tidegate_health_part_ok == 0) or vector(0)"),),
                f"{_BOOK}#tidegatenotready",
                none_at_all(),
            )
        ),
        now(
            Panel(
                "Judged up to",
                "How far the clock of the slowest indicators lies behind the wall clock. Marks move it once a second; "
                "while it stands still nothing is judged.",
                "s",
                (Query("time() - min(tidegate_indicators_clock_seconds)"),),
                f"{_BOOK}#tidegatetimestands",
                no_more_than(30, 120),
            )
        ),
        now(
            Panel(
                "Kafka",
                "0 as soon as one process has no answer from the broker.",
                "none",
                (Query("min(tidegate_kafka_up)"),),
                f"{_BOOK}#tidegatekafkaaway",
                ((None, "red"), (1, "green")),
                words=(("0", "away"), ("1", "answers")),
            )
        ),
        now(
            Panel(
                "Policies in force differ by",
                "The newest less the oldest version that any service goes by. For a moment after a change it is not 0.",
                "none",
                (Query("tidegate:policy_version:spread"),),
                f"{_BOOK}#tidegatepolicyapart",
                none_at_all(),
            )
        ),
        now(
            Panel(
                "Releases",
                "How many processes run which release: two only while it is being changed.",
                "none",
                (Query("count by (version) (tidegate_build_info)", "{{version}}"),),
                f"{_NAMES}#every-service",
            )
        ),
    ],
)
TRAFFIC: Final = Row(
    "What comes in",
    [
        Panel(
            "Events at the gateway",
            "By outcome. Unacknowledged: the broker did not confirm in time and the sender was told to try again.",
            "cps",
            (Query(rate("tidegate_gateway_events_total", "outcome"), "{{outcome}}"),),
            f"{_BOOK}#tidegategatewayrefusesfast",
        ),
        Panel(
            "What became of the records",
            "Ingest sorts every record of a raw topic: a valid event, a duplicate, a dead letter or a control record.",
            "cps",
            (Query(rate("tidegate_ingest_records_total", "outcome"), "{{outcome}}"),),
            f"{_BOOK}#tidegatedeadletters",
        ),
        Panel(
            "Dead letters by reason",
            "The first thing that is wrong with a record. A sudden rise is a sender that changed its format.",
            "cps",
            (
                Query(
                    rate("tidegate_ingest_dead_letters_total", "topic, reason"),
                    "{{reason}} · {{topic}}",
                ),
            ),
            f"{_BOOK}#tidegatedeadletters",
        ),
        Panel(
            "Share of dead letters",
            "Of all records of a topic in the last ten minutes. Past a half for long ingest pauses the partition.",
            "percentunit",
            (Query("tidegate:dead_letters:ratio_rate10m", "{{topic}}"),),
            f"{_BOOK}#tidegatedeadletters",
            no_more_than(0.01, 0.05),
        ),
        Panel(
            "Records read",
            "By service. Frames hold many events each, and marks come once a second for every partition.",
            "cps",
            (Query(rate("tidegate_kafka_records_read_total", "job"), "{{job}}"),),
            f"{_NAMES}#every-service",
        ),
        Panel(
            "Events too late to count",
            "They came after every window that could have held them was gone.",
            "cps",
            (
                Query(
                    rate("tidegate_indicators_events_total", "subject", '{fate="too_late"}'),
                    "{{subject}}",
                ),
            ),
            f"{_NAMES}#indicators",
            no_more_than(1),
        ),
    ],
)
LAG: Final = Row(
    "Lag",
    [
        Panel(
            "Records that nobody has handled yet",
            "By topic, counted by the owners of its partitions. A short peak is a burst; a line that does not fall is "
            "a reader that is too slow or stands still.",
            "none",
            (Query("sum by (topic) (tidegate_kafka_lag_records)", "{{topic}}"),),
            f"{_BOOK}#tidegatelag",
            no_more_than(1_000, 100_000),
        ),
        Panel(
            "Behind the wall clock",
            "How old the newest moment is that the indicators of each subject may judge by.",
            "s",
            (Query("time() - min by (subject) (tidegate_indicators_clock_seconds)", "{{subject}}"),),
            f"{_BOOK}#tidegatetimestands",
            no_more_than(30, 120),
        ),
        Panel(
            "Source partitions that are not read",
            "Ingest has paused them because too many of their records are bad, or cannot go on.",
            "none",
            (Query("sum by (topic) (tidegate_ingest_partition_paused)", "{{topic}}"),),
            f"{_BOOK}#tidegatedeadletters",
            none_at_all(),
        ),
        Panel(
            "Marks",
            "Ingest's word to all partitions on how far it has read: one a second for each of its processes.",
            "cps",
            (Query("sum(rate(tidegate_ingest_marks_total[$__rate_interval]))", "marks"),),
            f"{_BOOK}#tidegatetimestands",
        ),
    ],
)
