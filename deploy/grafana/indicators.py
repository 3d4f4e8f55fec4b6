"""*Indicators*: how the twelve judge, for those who set their thresholds."""

from typing import Final

from deploy.grafana.pieces import Choice, Page, Panel, Query, Row, no_more_than, none_at_all
from deploy.grafana.promql import rate
from deploy.grafana.readings import READ

_RULES: Final = "docs/indicators.md"
_MINE: Final = '{indicator=~"$indicator"}'

_JUDGED: Final = Row(
    "How they judge",
    [
        Panel(
            "Verdicts",
            "How often each indicator said what. It judges at once, or when a pane closes: the page of the indicators "
            "says which.",
            "cps",
            (
                Query(
                    rate("tidegate_indicators_verdicts_total", "indicator, verdict", _MINE),
                    "{{indicator}}: {{verdict}}",
                ),
            ),
            _RULES,
        ),
        Panel(
            "Share that is unsure",
            "Of the verdicts in the last hour, those with too little data to say. An indicator that is often unsure "
            "protects nobody: lower its smallest sample, or look for the feed that is silent.",
            "percentunit",
            (
                Query(
                    "(sum by (indicator) (increase(tidegate_indicators_verdicts_total"
                    '{verdict="unsure", indicator=~"$indicator"}[1h])) or 0 * sum by (indicator) '
                    f"(increase(tidegate_indicators_verdicts_total{_MINE}[1h]))) "
                    f"/ (sum by (indicator) (increase(tidegate_indicators_verdicts_total{_MINE}[1h])) > 0)",
                    "{{indicator}}",
                ),
            ),
            _RULES,
            no_more_than(0.5),
        ),
        Panel(
            "Share that is a breach",
            "Of the verdicts in the last hour. One that is always near 0 may be too lax, one that is often in breach "
            "too strict: try another threshold on the last month with `tidegate backtest`.",
            "percentunit",
            (
                Query(
                    "(sum by (indicator) (increase(tidegate_indicators_verdicts_total"
                    '{verdict="breach", indicator=~"$indicator"}[1h])) or 0 * sum by (indicator) '
                    f"(increase(tidegate_indicators_verdicts_total{_MINE}[1h]))) "
                    f"/ (sum by (indicator) (increase(tidegate_indicators_verdicts_total{_MINE}[1h])) > 0)",
                    "{{indicator}}",
                ),
            ),
            "docs/backtest.md",
            no_more_than(0.5),
        ),
        Panel(
            "Open episodes",
            "Stretches of trouble that stand, by what they are about.",
            "none",
            (Query("sum by (subject) (tidegate_indicators_open_episodes)", "{{subject}}"),),
            "services/indicators/runbook.md",
        ),
    ],
)
_CAME: Final = Row(
    "What came of it",
    [
        Panel(
            "Alerts opened",
            "Trips in the hour before each point.",
            "none",
            (
                Query(
                    "sum by (indicator) (increase(tidegate_indicators_alerts_total"
                    '{status="open", indicator=~"$indicator"}[1h]))',
                    "{{indicator}}",
                ),
            ),
            "services/indicators/runbook.md",
        ),
        Panel(
            "Alerts resolved",
            "Those whose trouble was over, in the hour before each point.",
            "none",
            (
                Query(
                    "sum by (indicator) (increase(tidegate_indicators_alerts_total"
                    '{status="resolved", indicator=~"$indicator"}[1h]))',
                    "{{indicator}}",
                ),
            ),
            "services/indicators/runbook.md",
        ),
        Panel(
            "Orders given",
            "In the hour before each point, to be done at once or to be approved.",
            "none",
            (
                Query(
                    f"sum by (indicator, command) (increase(tidegate_indicators_commands_total{_MINE}[1h]))",
                    "{{indicator}}: {{command}}",
                ),
            ),
            "docs/people.md",
        ),
        Panel(
            "Trips in shadow",
            "What an indicator that is still in `shadow` would have told and done, in the hour before each point.",
            "none",
            (
                Query(
                    f"sum by (indicator) (increase(tidegate_indicators_shadow_trips_total{_MINE}[1h]))", "{{indicator}}"
                ),
            ),
            "docs/backtest.md",
        ),
    ],
)
_DATA: Final = Row(
    "What they judge by",
    [
        Panel(
            "Rows",
            "Events as they reach the indicators, by what they are about: one event may count for several.",
            "cps",
            (Query(rate("tidegate_ingest_rows_total", "subject"), "{{subject}}"),),
            "docs/metrics.md#ingest",
        ),
        Panel(
            "Events too late to count",
            "They came after every window that could have held them was gone; figures of the past lack them.",
            "cps",
            (Query(rate("tidegate_indicators_events_total", "subject", '{fate="too_late"}'), "{{subject}}"),),
            "docs/metrics.md#indicators",
            no_more_than(1),
        ),
        Panel(
            "Policy in force",
            "The version that each subject is judged by. A step is a change of thresholds.",
            "none",
            (Query("max by (subject) (tidegate_indicators_policy_version)", "{{subject}}"),),
            "docs/runbooks.md#tidegatepolicyapart",
        ),
        Panel(
            "Policies refused",
            "Documents that could not be judged by; the one before stayed in force.",
            "none",
            (Query("sum by (subject) (tidegate_indicators_policies_refused_total)", "{{subject}}"),),
            "docs/runbooks.md#tidegatepolicyapart",
            none_at_all(),
        ),
    ],
)

INDICATORS: Final = Page(
    "tidegate-indicators",
    "Indicators · 指标",
    "How the twelve indicators judge, what comes of it, and by which data.",
    (READ, _JUDGED, _CAME, _DATA),
    (
        Choice(
            "indicator",
            "Indicator · 指标",
            "label_values(tidegate_indicators_alerts_total, indicator)",
            first="complaint_rate",
        ),
        Choice("subject", "About · 对象", "label_values(tidegate_indicator_value, subject)"),
    ),
    since="now-24h",
)
