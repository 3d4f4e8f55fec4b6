"""*Channels*: what is stopped and why, for those who act. In English and Chinese, since it is read at night."""

from typing import Final

from deploy.grafana.channels_told import PLATFORMS, TOLD
from deploy.grafana.pieces import Choice, Page, Panel, Query, Row, no_more_than, none_at_all, now

_BOOK: Final = "docs/runbooks.md"

_NOW: Final = Row(
    "Now · 现在",
    [
        now(
            Panel(
                "Channels held · 受限渠道",
                "Channels of which less than all traffic is wanted to flow. 未完全放行的渠道数。",
                "none",
                (Query("count(max by (channel) (tidegate_console_channel_open_ratio) < 1) or vector(0)"),),
                "docs/people.md",
                no_more_than(1),
            )
        ),
        now(
            Panel(
                "Wait for a person · 等待审批",
                "Targets with an order that acts only when somebody says yes. 有命令等待人工确认的对象。",
                "none",
                (Query("sum(tidegate_control_waiting_targets)"),),
                "docs/people.md",
                no_more_than(1),
            )
        ),
        now(
            Panel(
                "Not on the platform yet · 平台未确认",
                "Wanted, and not confirmed by the platform. More than 0 for minutes: act there by hand. "
                "已下令但平台尚未确认；持续数分钟请人工处理。",
                "none",
                (Query("sum(tidegate_control_unconfirmed_targets)"),),
                f"{_BOOK}#tidegateunconfirmed",
                none_at_all(),
            )
        ),
        now(
            Panel(
                "Alerts in nobody's hands · 无人认领的告警",
                "Open alerts that nobody has acknowledged. 尚未有人认领的告警。",
                "none",
                (
                    Query(
                        "sum(max by (severity, indicator) "
                        '(tidegate_console_open_alerts{acknowledged="no"})) or vector(0)'
                    ),
                ),
                "docs/alerting.md",
                no_more_than(1),
            )
        ),
        now(
            Panel(
                "Messages on their way · 未送达消息",
                "Due and not delivered yet. More than 0 for minutes: somebody does not know. "
                "到期未送达；持续则有人未获通知。",
                "none",
                (Query("sum(tidegate_alerting_due_messages)"),),
                f"{_BOOK}#tidegateundelivered",
                no_more_than(1, 20),
            )
        ),
        now(
            Panel(
                "Automation · 自动处置",
                "Whether indicators may stop anything by themselves. 自动处置是否开启。",
                "none",
                (Query("max(tidegate_control_automation_off)"),),
                f"{_BOOK}#tidegateautomationoff",
                ((None, "green"), (1, "orange")),
                words=(("0", "on · 开"), ("1", "off · 关")),
            )
        ),
    ],
)
_CHANNELS: Final = Row(
    "Channels · 渠道",
    [
        Panel(
            "What each channel lets through · 渠道放行比例",
            "The share of its traffic that is wanted: 100 % runs, 0 % is stopped. A channel appears once "
            "anything was ever ordered of it. 期望放行的流量比例；从未被处置过的渠道不出现。",
            "percentunit",
            (
                Query(
                    'max by (channel) (tidegate_console_channel_open_ratio{channel=~"$channel"})',
                    "{{channel}}",
                ),
            ),
            "docs/people.md",
            ((None, "red"), (0.01, "orange"), (1, "green")),
            kind="states",
            width=24,
            height=9,
        ),
        Panel(
            "Holds on channels · 渠道限制",
            "By channel, kind and who placed them: an indicator, or a person. 每条限制的种类和来源。",
            "none",
            (
                Query(
                    'max by (channel, kind, by, state) (tidegate_console_channel_holds{channel=~"$channel"})',
                    "{{channel}} · {{kind}} · {{by}} · {{state}}",
                ),
            ),
            "services/indicators/runbook.md",
        ),
        Panel(
            "Holds of all kinds · 全部限制",
            "On channels, content, accounts and addresses, by what they do. 包括内容、账号和地址。",
            "none",
            (
                Query(
                    "sum by (target_kind, kind, state) (tidegate_control_holds)",
                    "{{target_kind}} · {{kind}} · {{state}}",
                ),
            ),
            "docs/people.md",
        ),
        Panel(
            "Trips · 触发",
            "Alerts that indicators opened in the last hour. 过去一小时各指标触发的告警。",
            "none",
            (
                Query(
                    'sum by (indicator) (increase(tidegate_indicators_alerts_total{status="open"}[1h])) > 0',
                    "{{indicator}}",
                ),
            ),
            "services/indicators/runbook.md",
        ),
        Panel(
            "Open alerts · 未结束的告警",
            "By severity and indicator. 按级别和指标。",
            "none",
            (
                Query(
                    "max by (severity, indicator, acknowledged) (tidegate_console_open_alerts)",
                    "{{severity}} · {{indicator}} · taken: {{acknowledged}}",
                ),
            ),
            "docs/alerting.md",
            kind="bars",
        ),
        Panel(
            "The governor · 处置额度",
            "Channels that automation holds within its limits (granted), and that it wants to and may not (waiting). "
            "自动处置占用的额度，以及超出额度、等待人工的渠道。",
            "none",
            (Query("max by (state) (tidegate_control_governed_channels)", "{{state}}"),),
            "docs/governor.md",
            no_more_than(10),
        ),
        Panel(
            "Opening in steps, and kept running · 逐步恢复与人工放行",
            "Targets whose hold opens by itself, and those that a person keeps running. "
            "自动逐步恢复、以及人工覆盖的对象。",
            "none",
            (
                Query("sum(tidegate_control_ramping_targets)", "opening in steps · 逐步恢复"),
                Query("sum(tidegate_control_overridden_targets)", "overridden · 人工放行"),
            ),
            "docs/resuming.md",
        ),
    ],
)
CHANNELS: Final = Page(
    "tidegate-channels",
    "Channels · 渠道",
    "What is held, why, whether the platforms have done it, and who was told. "
    "哪些渠道受限、原因、平台是否已执行、通知了谁。",
    (_NOW, _CHANNELS, PLATFORMS, TOLD),
    (Choice("channel", "Channel · 渠道", "label_values(tidegate_console_channel_open_ratio, channel)"),),
)
