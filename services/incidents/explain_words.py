"""The sentences of an alert's story, in both languages."""

from typing import Final

from schemas.audit import Outcome
from schemas.base import Bilingual, Severity
from schemas.channels import TargetStatus

SEEN: Final = Bilingual(en="What was seen", zh="监测到的情况")
DATA: Final = Bilingual(en="On which data", zh="依据的数据")
HAPPENED: Final = Bilingual(en="What was done", zh="处置过程")
STANDS: Final = Bilingual(en="How things stand now", zh="当前状态")
PROOF: Final = Bilingual(en="How to derive it again", zh="如何重新推导")

HEAD: Final = Bilingual(
    en="{severity}: {indicator} on {subject} (alert {alert})", zh="{severity}：{subject} 的 {indicator}（告警 {alert}）"
)
OPENED: Final = Bilingual(en="Opened {at} ({zone}).", zh="发生于 {at}（{zone}）。")
RESOLVED: Final = Bilingual(en="Over since {at}.", zh="已于 {at} 恢复。")
STILL_OPEN: Final = Bilingual(en="Still open.", zh="尚未恢复。")
STOP: Final = Bilingual(en=". ", zh="。")
COMMA: Final = Bilingual(en=", ", zh="，")
STATUSES: Final = {
    "open": Bilingual(en="First: ", zh="首次告警："),
    "updated": Bilingual(en="Then: ", zh="后续："),
    "resolved": Bilingual(en="At last: ", zh="结束："),
}
SEVERITIES: Final[dict[Severity, Bilingual]] = {
    "info": Bilingual(en="For information", zh="提示"),
    "warning": Bilingual(en="Warning", zh="警告"),
    "critical": Bilingual(en="Critical", zh="严重"),
}
FIGURE: Final = Bilingual(en="Value {value}, limit {threshold}.", zh="数值 {value}，阈值 {threshold}。")
WINDOW: Final = Bilingual(en="Events from {start} until {end}.", zh="统计区间：{start} 至 {end}。")
SAMPLES: Final = Bilingual(en="Counted: {samples}.", zh="计数：{samples}。")
RANGE: Final = Bilingual(
    en="{topic}, partition {partition}: offsets {first} to {last}, {count} records at most.",
    zh="{topic} 分区 {partition}：偏移量 {first} 至 {last}，至多 {count} 条记录。",
)
POLICY: Final = Bilingual(
    en="Judged by policy {policy} and code {code}.", zh="依据策略 {policy}、代码 {code} 作出判断。"
)
ORDERED: Final = Bilingual(en="{who}: {what}", zh="{who}：{what}")
TIDEGATE: Final = Bilingual(en="Tidegate", zh="系统")
PLATFORM: Final = Bilingual(en="The platform", zh="投放平台")
PEOPLES_WORDS: Final = {
    "resume": Bilingual(en="{who} let {target} go on", zh="{who} 恢复了 {target}"),
    "approve": Bilingual(en="{who} approved what waited for {target}", zh="{who} 批准了对 {target} 的待批措施"),
    "reject": Bilingual(en="{who} rejected what waited for {target}", zh="{who} 否决了对 {target} 的待批措施"),
    "acknowledge": Bilingual(en="{who} acknowledged the alert", zh="{who} 确认了告警"),
    "confirmed": Bilingual(en="{who} has confirmed {target}", zh="{who}确认了 {target} 的状态"),
    "failed": Bilingual(en="{who} did not carry it out for {target}", zh="{who}未能对 {target} 执行措施"),
    "drifted": Bilingual(en="{who} no longer shows it for {target}", zh="{who}对 {target} 的状态已与确认的不符"),
    "away": Bilingual(en="{target} does not answer", zh="{target} 无应答"),
    "back": Bilingual(en="{target} answers again", zh="{target} 已恢复应答"),
    "override": Bilingual(en="{who} keeps {target} running for a time", zh="{who} 让 {target} 限时保持运行"),
    "withdraw": Bilingual(en="{who} took a word about {target} back", zh="{who} 撤回了对 {target} 的指令"),
    "eased": Bilingual(en="{who}: the trouble of {target} has eased", zh="{who}：{target} 的异常已缓解"),
    "claim": Bilingual(en="The governor was asked whether it may act", zh="已向自动处置上限申请"),
    "release": Bilingual(en="The governor got its share back", zh="已归还自动处置额度"),
    "granted": Bilingual(en="The governor let {target} be held", zh="{target} 的措施在自动处置上限之内"),
    "declined": Bilingual(
        en="The governor held {target} back, for people to decide", zh="{target} 的措施超出自动处置上限，待人工决定"
    ),
    "gathered": Bilingual(en="The governor answered what was asked together", zh="已一并答复同时提出的申请"),
    "due": Bilingual(en="The next step of {target} was due", zh="{target} 到了下一步恢复的时间"),
    "silence": Bilingual(en="{who} said until when nobody is told of {target}", zh="{who} 调整了 {target} 的告警静默"),
    "merge": Bilingual(en="{who} put incidents together", zh="{who} 合并了事件"),
    "split": Bilingual(en="{who} took incidents apart", zh="{who} 拆分了事件"),
    "expired": Bilingual(
        en="The time of what stood or waited on {target} was over", zh="{target} 上的措施或待批事项已到期"
    ),
}
ASKED: Final = {
    "resume": Bilingual(en="{who} asked to let {target} go on", zh="{who} 申请恢复 {target}"),
    "override": Bilingual(en="{who} asked to keep {target} running", zh="{who} 申请让 {target} 保持运行"),
    "approve": Bilingual(
        en="{who} agreed about {target}, others have yet to", zh="{who} 已同意对 {target} 的申请，尚需他人"
    ),
}
"""People's words of which others have to agree."""
CALLED: Final = {
    "resume": Bilingual(en="resume", zh="恢复"),
    "approve": Bilingual(en="approve", zh="批准"),
    "reject": Bilingual(en="reject", zh="否决"),
    "acknowledge": Bilingual(en="acknowledge", zh="确认"),
    "override": Bilingual(en="keep running", zh="保持运行"),
    "withdraw": Bilingual(en="withdraw", zh="撤回"),
}
IN_VAIN: Final[dict[Outcome, Bilingual]] = {
    "refused": Bilingual(en="{who} said “{word}” about {target}: refused", zh="{who} 对 {target} 的“{word}”指令被拒绝"),
    "repeated": Bilingual(en="{who} said “{word}” about {target} once more", zh="{who} 对 {target} 重复了“{word}”指令"),
}
OUTCOMES: Final[dict[Outcome, Bilingual]] = {
    "done": Bilingual(en=": done", zh="：已生效"),
    "masked": Bilingual(en=": masked by a person's override", zh="：被人工豁免屏蔽"),
    "waiting": Bilingual(en=": waits for a person's approval", zh="：等待人工批准"),
    "stale": Bilingual(en=": not done", zh="：未执行"),
    "refused": Bilingual(en=": refused", zh="：被拒绝"),
    "repeated": Bilingual(en=": given before", zh="：重复指令"),
    "confirmed": Bilingual(en=": confirmed", zh="：已确认"),
    "failed": Bilingual(en=": failed", zh="：失败"),
    "delivered": Bilingual(en=": delivered", zh="：已送达"),
    "recorded": Bilingual(en=": recorded", zh="：已记录"),
}
EXPLAINED: Final = ("stale", "refused", "failed", "confirmed")
"""Outcomes of which the audit says why."""
NOTE: Final = Bilingual(en=" (“{note}”)", zh="（“{note}”）")
MESSAGES: Final = {
    "alert.opened": Bilingual(en="that it began", zh="告警发生"),
    "alert.updated": Bilingual(en="that it got worse", zh="告警升级"),
    "alert.resolved": Bilingual(en="that it is over", zh="告警恢复"),
}
MESSAGE: Final = Bilingual(en="of it", zh="告警")
ON_CALL: Final = Bilingual(en="The people on call", zh="值班人员")
RECEIVER: Final = Bilingual(en="Those behind “{receiver}”", zh="“{receiver}”")
DELIVERIES: Final = {
    "delivered": Bilingual(en="{who} were told {what}", zh="已通知{who}：{what}"),
    "recorded": Bilingual(en="Nobody is set up to be told {what}: recorded only", zh="未配置接收方，仅记录：{what}"),
}
NOT_DELIVERED: Final = Bilingual(en="{who} could not be told {what}", zh="未能通知{who}：{what}")
TARGET: Final = Bilingual(
    en="{target}: {status}; the platform has confirmed: {confirmed}.", zh="{target}：{status}；平台确认：{confirmed}。"
)
NOTHING: Final = Bilingual(en="nothing yet", zh="尚无")
STATUSES_OF_TARGETS: Final[dict[TargetStatus, Bilingual]] = {
    "running": Bilingual(en="running", zh="正常运行"),
    "throttled": Bilingual(en="throttled", zh="限流"),
    "paused": Bilingual(en="paused", zh="暂停"),
    "frozen": Bilingual(en="frozen", zh="冻结"),
    "taken_down": Bilingual(en="taken down", zh="下架"),
}
