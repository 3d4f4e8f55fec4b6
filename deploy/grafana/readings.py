"""*Indicators*, first half: what they read of each subject, against what it is held to."""

from typing import Final

from deploy.grafana.pieces import Panel, Query, Row, no_more_than

_MINE: Final = '{indicator=~"$indicator"}'
_ABOUT: Final = '{indicator=~"$indicator", subject=~"$subject"}'

READ: Final = Row(
    "What they read",
    [
        Panel(
            "Value and threshold",
            "The last reading of each subject, and what it is held against. A gap is a time in which there was too "
            "little data to say. Choose one indicator and some subjects.",
            "none",
            (
                Query(f"max by (indicator, subject) (tidegate_indicator_value{_ABOUT})", "{{indicator}} {{subject}}"),
                Query(
                    f"max by (indicator, subject) (tidegate_indicator_threshold{_ABOUT})",
                    "threshold of {{indicator}} {{subject}}",
                ),
            ),
            "docs/indicators.md",
            width=24,
            height=10,
        ),
        Panel(
            "How near to the threshold",
            "The reading as a share of its threshold: who is next. Over 100 % it is a breach where more is worse.",
            "percentunit",
            (
                Query(
                    f"topk(20, max by (indicator, subject) (tidegate_indicator_value{_ABOUT}) "
                    f"/ (max by (indicator, subject) (tidegate_indicator_threshold{_ABOUT}) > 0))",
                    "{{indicator}} {{subject}}",
                ),
            ),
            "services/indicators/runbook.md",
            no_more_than(0.8, 1),
            kind="bars",
        ),
        Panel(
            "Subjects by verdict",
            "How many stand so now. Of addresses, complaints and content only those are counted that are in trouble.",
            "none",
            (
                Query(
                    f"max by (indicator, verdict) (tidegate_indicator_verdict{_MINE})",
                    "{{indicator}}: {{verdict}}",
                ),
            ),
            "docs/indicators.md",
        ),
    ],
)
