"""*Tidegate*, second half: how fast it is, what goes wrong, what it uses, and how it comes back."""

from typing import Final

from deploy.grafana.pieces import Panel, Query, Row, no_more_than, none_at_all
from deploy.grafana.promql import quantile, quantile_of_hour, rate

_BOOK: Final = "docs/runbooks.md"
_NAMES: Final = "docs/metrics.md"

LATENCY: Final = Row(
    "Latency",
    [
        Panel(
            "From an event to the platform, stage by stage (p99)",
            "Ingest: from the append of the event to its frame. Judge: from the frame to the order. Decide: from "
            "the order to what is wanted. Platform: from the order to the platform showing it. The whole is about "
            "their sum.",
            "s",
            (
                Query(quantile(0.99, "tidegate_ingest_delay_seconds"), "ingest"),
                Query(quantile(0.99, "tidegate_machine_delay_seconds", where='{topic=~"frames.*"}'), "judge"),
                Query(quantile(0.99, "tidegate_machine_delay_seconds", where='{topic="channel-commands"}'), "decide"),
                Query(
                    quantile_of_hour(0.99, "tidegate_control_confirmation_seconds"),
                    "platform (the last hour)",
                ),
            ),
            f"{_BOOK}#tidegateslowfast",
            no_more_than(0.25, 1),
        ),
        Panel(
            "The same at the median",
            "What most events see.",
            "s",
            (
                Query(quantile(0.5, "tidegate_ingest_delay_seconds"), "ingest"),
                Query(quantile(0.5, "tidegate_machine_delay_seconds", where='{topic=~"frames.*"}'), "judge"),
                Query(quantile(0.5, "tidegate_machine_delay_seconds", where='{topic="channel-commands"}'), "decide"),
                Query(
                    quantile_of_hour(0.5, "tidegate_control_confirmation_seconds"),
                    "platform (the last hour)",
                ),
            ),
            f"{_BOOK}#tidegateslowfast",
        ),
        Panel(
            "Share of records handled later than a second",
            "The goal is at most one in a hundred. 14.4 % over an hour uses up a fiftieth of a month's allowance.",
            "percentunit",
            (
                Query("tidegate:late:ratio_rate5m", "5 minutes"),
                Query("tidegate:late:ratio_rate1h", "an hour"),
                Query("tidegate:late:ratio_rate6h", "six hours"),
            ),
            f"{_BOOK}#tidegateslowfast",
            no_more_than(0.06, 0.144),
        ),
        Panel(
            "HTTP (p99)",
            "From a request's head to the end of its answer, by service.",
            "s",
            (Query(quantile(0.99, "tidegate_http_request_seconds", "job"), "{{job}}"),),
            f"{_BOOK}#tidegategatewayrefusesfast",
            no_more_than(1),
        ),
        Panel(
            "Calls of platforms and receivers (p99)",
            "One call, until its answer or its failure; over the last hour, since there are few.",
            "s",
            (
                Query(
                    quantile_of_hour(0.99, "tidegate_control_platform_call_seconds"),
                    "platforms",
                ),
                Query(
                    quantile_of_hour(0.99, "tidegate_alerting_webhook_attempt_seconds"),
                    "receivers",
                ),
            ),
            f"{_BOOK}#tidegateunconfirmed",
            no_more_than(5),
        ),
        Panel(
            "Sending to Kafka (p99)",
            "From handing a batch of outputs over to the broker's last acknowledgement, by service.",
            "s",
            (Query(quantile(0.99, "tidegate_kafka_send_seconds", "job"), "{{job}}"),),
            f"{_BOOK}#tidegatekafkaaway",
            no_more_than(0.5),
        ),
    ],
)
ERRORS: Final = Row(
    "Errors",
    [
        Panel(
            "Requests that failed on our side",
            "The share of events' requests at the gateway that were answered with 5xx. The goal is one in a thousand.",
            "percentunit",
            (
                Query("tidegate:refused:ratio_rate5m", "5 minutes"),
                Query("tidegate:refused:ratio_rate1h", "an hour"),
            ),
            f"{_BOOK}#tidegategatewayrefusesfast",
            no_more_than(0.006, 0.0144),
        ),
        Panel(
            "Platform calls that did not go well",
            "By what was asked and what came back. Each is tried again; one that lasts is an order not in force.",
            "none",
            (
                Query(
                    'sum by (call, answer) (increase(tidegate_control_platform_calls_total{answer!="ok"}[5m]))',
                    "{{call}}: {{answer}}",
                ),
            ),
            f"{_BOOK}#tidegateunconfirmed",
            no_more_than(1),
        ),
        Panel(
            "Messages that were not taken",
            "Attempts to tell a receiver that had another answer than 2xx. They are tried again for three days.",
            "none",
            (
                Query(
                    'sum by (receiver, answer) (increase(tidegate_alerting_webhook_attempts_total{answer!="2xx"}[5m]))',
                    "{{receiver}}: {{answer}}",
                ),
            ),
            f"{_BOOK}#tidegateundelivered",
            no_more_than(1),
        ),
        Panel(
            "Bugs that were fenced off",
            "Errors that nobody had foreseen, by the part that met them; what it was about is tried again.",
            "none",
            (
                Query(
                    "sum by (job, part) (increase("
                    '{__name__=~"tidegate_(alerting|control)_unforeseen_errors_total"}[5m]))',
                    "{{job}}: {{part}}",
                ),
            ),
            f"{_BOOK}#tidegatestumbles",
            none_at_all(),
        ),
        Panel(
            "Complaints through the door",
            "By outcome, in the hour before each point. Many that are `too_many` are a flood from few addresses.",
            "none",
            (Query("sum by (outcome) (increase(tidegate_gateway_complaints_total[1h]))", "{{outcome}}"),),
            "docs/complaint-door.md",
        ),
        Panel(
            "Rules that raised",
            "Each time a rule failed on a view; the others went on. People were told by an alert of its own.",
            "none",
            (Query("sum by (indicator) (increase(tidegate_indicators_rule_failures_total[5m]))", "{{indicator}}"),),
            f"{_NAMES}#indicators",
            none_at_all(),
        ),
    ],
)
SATURATION: Final = Row(
    "Saturation",
    [
        Panel(
            "CPU",
            "Of one core, by process. One that stays near 100 % is at its end: add a worker, up to one a partition.",
            "percentunit",
            (Query(rate("process_cpu_seconds_total", "job, subject"), "{{job}} {{subject}}"),),
            f"{_BOOK}#tidegatelag",
            no_more_than(0.8, 0.95),
        ),
        Panel(
            "Memory",
            "Resident, by process.",
            "bytes",
            (Query("sum by (job, subject) (process_resident_memory_bytes)", "{{job}} {{subject}}"),),
            f"{_NAMES}#every-service",
        ),
        Panel(
            "Time that machines work",
            "The share of the time in which a machine applies records; the rest it waits.",
            "percentunit",
            (Query(rate("tidegate_machine_apply_seconds_sum", "topic"), "{{topic}}"),),
            f"{_BOOK}#tidegatelag",
            no_more_than(0.7, 0.9),
        ),
        Panel(
            "Open files and bytes in work",
            "The most open files of a process against its limit; and what the gateway has in memory, which is bounded.",
            "percentunit",
            (
                Query("max by (job) (process_open_fds / process_max_fds)", "{{job}}"),
                Query("sum(tidegate_gateway_in_work_bytes) / 1e9", "in work, GB"),
            ),
            f"{_NAMES}#gateway",
            no_more_than(0.8),
        ),
    ],
)
RECOVERY: Final = Row(
    "Recovery",
    [
        Panel(
            "From taking a partition over to having caught up",
            "The mean of the processes that run now, each since its own start.",
            "s",
            (
                Query(
                    "sum by (topic) (tidegate_machine_recovery_seconds_sum) "
                    "/ sum by (topic) (tidegate_machine_recovery_seconds_count)",
                    "{{topic}}",
                ),
            ),
            f"{_BOOK}#tidegaterestarts",
            no_more_than(10, 60),
        ),
        Panel(
            "Starts",
            "How often each process began anew within an hour.",
            "none",
            (Query("sum by (job, subject) (changes(process_start_time_seconds[1h]))", "{{job}} {{subject}}"),),
            f"{_BOOK}#tidegaterestarts",
            no_more_than(1, 4),
        ),
        Panel(
            "Snapshots (p99)",
            "One transaction, begin to commit. A machine goes on working while it is written.",
            "s",
            (Query(quantile(0.99, "tidegate_snapshot_seconds", "topic"), "{{topic}}"),),
            f"{_BOOK}#tidegatekafkaaway",
            no_more_than(1),
        ),
        Panel(
            "Bytes of snapshots",
            "What the machines write down, by topic of state.",
            "Bps",
            (Query(rate("tidegate_snapshot_bytes_total", "topic"), "{{topic}}"),),
            f"{_NAMES}#every-service",
        ),
    ],
)
