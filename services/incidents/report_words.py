"""The words of an incident's report, in both languages."""

from typing import Final

from schemas.audit import Outcome
from schemas.base import Bilingual, Severity
from schemas.channels import RampState, TargetStatus


def _(en: str, zh: str) -> Bilingual:
    return Bilingual(en=en, zh=zh)


REPORT: Final = _("Incident report: {title}", "事件报告：{title}")
UNTIL: Final = _("As of {now} ({zone}). Incident {incident}.", "截至 {now}（{zone}）。事件编号 {incident}。")
SINCE: Final = _(
    "What the audit says from before {since} is not in this report; `tidegate incident report` reads all of it.",
    "本报告不含 {since} 之前的审计记录；完整内容请使用 `tidegate incident report`。",
)
STATES: Final = {
    "open": _(
        "Open: this report is not final. Severity: {severity}.", "事件未关闭，本报告为阶段性报告。级别：{severity}。"
    ),
    "closed": _("Closed at {closed}. Severity: {severity}.", "已于 {closed} 关闭。级别：{severity}。"),
}
SEVERITIES: Final[dict[Severity, Bilingual]] = {
    "info": _("for information", "提示"),
    "warning": _("warning", "警告"),
    "critical": _("critical", "严重"),
}

CAUSE: Final = _("Suspected cause", "疑似原因")
CAUSE_IS: Final = _("A suspicion, by what the alerts share: {cause}.", "根据告警的共同之处推测：{cause}。")
SEEN: Final = _("What was seen", "监测情况")
TIMELINE: Final = _("Timeline", "时间线")
DONE: Final = _("What was held, and what that cost", "处置范围与代价")
WHO: Final = _("Who did what", "责任与分工")
OPEN: Final = _("Open actions", "未结事项")
CHECK: Final = _("How to check this", "如何核验")

NONE_OPEN: Final = _("None.", "无。")
NOTHING_HELD: Final = _("Nothing was held.", "未对任何对象采取限制措施。")
CHECK_EXPLAIN: Final = _(
    "The story of each alert, and how to derive each decision again from the log:",
    "每条告警的完整经过，以及如何从日志重新推导每项决定：",
)

SEEN_HEAD: Final = (
    _("Opened", "发生时间"),
    _("Alert", "告警"),
    _("Value / limit", "数值 / 阈值"),
    _("Policy", "策略"),
    _("Acknowledged by", "确认人"),
    _("Resolved", "恢复时间"),
)
TIMELINE_HEAD: Final = (
    _("Time", "时间"),
    _("Who", "主体"),
    _("What", "动作"),
    _("Outcome", "结果"),
    _("Why", "说明"),
)
HELD_HEAD: Final = (
    _("Target", "对象"),
    _("From", "开始"),
    _("Until", "结束"),
    _("Traffic left", "保留流量"),
    _("Held back, estimated", "拦截流量（估计）"),
    _("Estimated from", "估计依据"),
)
WHO_HEAD: Final = (_("Who", "主体"), _("What", "动作"), _("Times", "次数"))

NOBODY: Final = _("nobody", "无人")
STILL: Final = _("still", "仍在持续")
UNKNOWN: Final = _(
    "unknown: neither evidence nor hourly figures say how much traffic it had",
    "未知：证据和小时数据中均没有该对象的流量",
)
AT_MOST: Final = _("at most {kept}", "至多：{kept}")
ITS_EVIDENCE: Final = _("the evidence of its alerts, mean of the window", "告警证据（窗口均值）")
ITS_HOURS: Final = _(
    "its figures, mean of the full hours before it was held ({hours})", "处置前 {hours} 个整点小时的数据均值"
)
LESSER_HOURS: Final = _(
    "the figures of its product on all channels or of its channel with all products, whichever is less, mean of the "
    "full hours before it was held ({hours})",
    "取该产品全部渠道数据与该渠道全部产品数据中的较小者，处置前 {hours} 个整点小时均值",
)
BEYOND: Final = _("{first}; for the rest {rest}", "{first}；其余为{rest}")
TIDEGATE: Final = _("Tidegate ({name})", "系统（{name}）")
PLATFORM: Final = _("the platform", "投放平台")

OPENED: Final = _("alert opened", "告警发生")
RESOLVED: Final = _("alert resolved", "告警恢复")
WORDS: Final = {
    "acknowledge": _("acknowledge the alert", "确认告警"),
    "apply_policy": _("apply {target}", "提交策略 {target}"),
    "approve_policy": _("approve {target}", "批准策略 {target}"),
    "reject_policy": _("reject {target}", "驳回策略 {target}"),
    "roll_back_policy": _("roll back to {target}", "回滚为策略 {target}"),
    "withdraw_policy": _("withdraw {target}", "撤回策略 {target}"),
    "claim": _("ask the governor for {target}", "就 {target} 向总闸申请"),
    "declined": _("let {target} wait for people", "总闸令 {target} 等待人工决定"),
    "granted": _("let {target} be held", "总闸同意限制 {target}"),
    "release": _("give the share of {target} back", "归还 {target} 的总闸额度"),
    "sign_in": _("sign in", "登录控制台"),
    "sign_in_failed": _("try to sign in", "登录控制台失败"),
    "sign_out": _("sign out", "退出控制台"),
    "unreadable": _("an order that cannot be read", "无法读取的指令"),
    "approve": _("approve what waits for {target}", "批准对 {target} 的待批措施"),
    "automation_off": _("switch automation off", "关闭自动处置"),
    "automation_on": _("switch automation on", "开启自动处置"),
    "away": _("whether {target} answers", "{target} 是否应答"),
    "back": _("whether {target} answers", "{target} 是否应答"),
    "confirmed": _("state of {target}", "{target} 的状态"),
    "deliver": _("tell {receiver}: {change}", "通知 {receiver}：{change}"),
    "drifted": _("what {target} shows", "{target} 的实际显示"),
    "gathered": _("answer what was asked together", "一并答复同时提出的申请"),
    "due": _("next step of {target} is due", "{target} 到了下一步恢复的时间"),
    "eased": _("the trouble of {target} has eased", "{target} 的异常已缓解"),
    "expired": _("deadline of what waits for {target}", "{target} 待批措施的期限"),
    "failed": _("state of {target}", "{target} 的状态"),
    "merge": _("put incidents together", "合并事件"),
    "override": _("keep {target} running", "保持 {target} 运行"),
    "reject": _("reject what waits for {target}", "否决对 {target} 的待批措施"),
    "resume": _("let {target} go on", "恢复 {target}"),
    "silence": _("silence the alert", "静默告警"),
    "split": _("split the incident", "拆分事件"),
    "withdraw": _("take a word about {target} back", "撤回对 {target} 的指令"),
}
ON_CALL: Final = _("the people on call", "值班人员")
CHANGES: Final = {
    "alert.opened": _("it began", "告警发生"),
    "alert.updated": _("it changed", "告警变化"),
    "alert.resolved": _("it is over", "告警恢复"),
}
"""What a message says; one of another kind is called by its name."""
OUTCOMES: Final[dict[Outcome, Bilingual]] = {
    "confirmed": _("confirmed", "已确认"),
    "delivered": _("delivered", "已送达"),
    "done": _("done", "已生效"),
    "failed": _("failed", "失败"),
    "masked": _("masked by an override", "被人工豁免屏蔽"),
    "recorded": _("recorded", "已记录"),
    "refused": _("refused", "被拒绝"),
    "repeated": _("given before", "重复指令"),
    "stale": _("too late, not done", "过期未执行"),
    "waiting": _("waits for a person", "等待人工批准"),
}
COUNTED: Final = {
    "accounts_opened": _("{count:,.0f} accounts", "开户 {count:,.0f} 个"),
    "clicks": _("{count:,.0f} clicks", "点击 {count:,.0f} 次"),
    "impressions": _("{count:,.0f} impressions", "曝光 {count:,.0f} 次"),
    "purchases": _("{count:,.0f} purchases", "购买 {count:,.0f} 笔"),
    "spend": _("{count:,.0f} CNY of spend", "投放 {count:,.0f} 元"),
}
"""What evidence tells of a channel's traffic, and how much of it did not happen."""

UNACKNOWLEDGED: Final = _("Nobody has acknowledged: {title}", "无人确认：{title}")
STANDING: Final = _("{target} is still held ({what}) since {since}.", "{target} 自 {since} 起仍处于{what}。")
SPACE: Final = _(" ", "")
RAMPS: Final[dict[RampState, Bilingual]] = {
    "opening": _(
        "It opens by itself: {step} now, the next step at {next}.", "正在自动恢复：当前 {step}，下一步时间 {next}。"
    ),
    "behind": _("It would open by itself, behind something stricter.", "可自动恢复，但有更严格的措施在先。"),
    "held": _("The trouble came back; it opens again when that eases.", "异常复发；缓解后继续自动恢复。"),
    "person": _("It opens by itself no more: a person decides.", "不再自动恢复，需人工决定。"),
}
WAITING: Final = _(
    "{what} waits for people's yes or no until {until}; agreed: {agreed}.",
    "{what} 等待人工批准，期限 {until}；已同意 {agreed}。",
)
ASKED: Final = _(
    "{who} has asked: {what}; others decide until {until}; agreed: {agreed}.",
    "{who} 申请{what}，由他人在 {until} 前决定；已同意 {agreed}。",
)
OVERRIDDEN: Final = _("{who} keeps {target} running until {until}.", "{who} 让 {target} 保持运行至 {until}。")
UNCONFIRMED: Final = _(
    "The platform has not confirmed that {target} is {status}.", "投放平台尚未确认 {target} 已{status}。"
)
UNDELIVERED: Final = _("A message could not be delivered at {at}: {why}", "{at} 有一条通知未送达：{why}")
UNRESOLVED: Final = _("Not over yet: {title}", "尚未恢复：{title}")
STATUSES: Final[dict[TargetStatus, Bilingual]] = {
    "running": _("running", "正常运行"),
    "throttled": _("throttled", "限流"),
    "paused": _("paused", "暂停"),
    "frozen": _("frozen", "冻结"),
    "taken_down": _("taken down", "下架"),
}
