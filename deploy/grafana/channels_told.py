"""*Channels*, second half: whether platforms have done it, and whether people were told."""

from typing import Final

from deploy.grafana.pieces import Panel, Query, Row, no_more_than, none_at_all
from deploy.grafana.promql import quantile_of_hour

_BOOK: Final = "docs/runbooks.md"

PLATFORMS: Final = Row(
    "Platforms · 平台",
    [
        Panel(
            "Platforms answer · 平台状态",
            "1 while the last answer was good. 最近一次应答是否正常。",
            "none",
            (Query("min by (platform) (tidegate_control_platform_up)", "{{platform}}"),),
            "services/channel_control/runbook.md#platform_away",
            ((None, "red"), (1, "green")),
            kind="states",
            words=(("0", "away · 不可用"), ("1", "answers · 正常")),
        ),
        Panel(
            "From the order to the platform · 从下令到平台生效",
            "Until the platform shows the hold, over the last hour. 平台生效所需时间（过去一小时）。",
            "s",
            (
                Query(
                    quantile_of_hour(0.5, "tidegate_control_confirmation_seconds", "kind"),
                    "{{kind}} p50",
                ),
                Query(
                    quantile_of_hour(0.99, "tidegate_control_confirmation_seconds", "kind"),
                    "{{kind}} p99",
                ),
            ),
            f"{_BOOK}#tidegateunconfirmed",
            no_more_than(5, 60),
        ),
        Panel(
            "Platforms that changed by themselves · 平台漂移",
            "A confirmed target was read again and shows something else. 已确认的对象在平台上被改动。",
            "none",
            (Query("sum(increase(tidegate_control_drifts_total[1h]))", "drifts · 漂移"),),
            "services/channel_control/runbook.md#platform_drift",
            none_at_all(),
        ),
        Panel(
            "Orders of people · 人工命令",
            "By command, in the last hour. 过去一小时的人工命令。",
            "none",
            (Query("sum by (command) (increase(tidegate_console_orders_total[1h]))", "{{command}}"),),
            "docs/people.md",
        ),
    ],
)
TOLD: Final = Row(
    "Who was told · 通知",
    [
        Panel(
            "Messages · 消息",
            "No longer due, by outcome; in the last hour. Recorded: there was nobody to tell. 过去一小时的消息结果。",
            "none",
            (Query("sum by (outcome) (increase(tidegate_alerting_deliveries_total[1h]))", "{{outcome}}"),),
            f"{_BOOK}#tidegateundelivered",
        ),
        Panel(
            "From due to delivered · 送达用时",
            "Over the last hour. 从应发到送达的时间（过去一小时）。",
            "s",
            (
                Query(
                    quantile_of_hour(0.99, "tidegate_alerting_delivery_delay_seconds"),
                    "p99",
                ),
            ),
            f"{_BOOK}#tidegateundelivered",
            no_more_than(30, 300),
        ),
        Panel(
            "Receivers answer · 接收方状态",
            "1 while the last answer was good. 最近一次应答是否正常。",
            "none",
            (Query("min by (receiver) (tidegate_alerting_target_up)", "{{receiver}}"),),
            "services/alerting/runbook.md#dead_receiver",
            ((None, "red"), (1, "green")),
            kind="states",
            words=(("0", "does not take · 拒收"), ("1", "takes · 正常")),
            width=24,
            height=6,
        ),
    ],
)
