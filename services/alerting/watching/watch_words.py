"""What the watchdog says: what stands still, since when, what is at risk, and what to do first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Final

from schemas.alerts import AlertFact
from schemas.base import Bilingual, Severity
from schemas.policy import Policy
from services.alerting.watching.watch import At, Kind, Limits, Look, Step, Trouble
from services.runtime.ids import derive

WRITER: Final = "watchdog"
_SEVERITY: Final[dict[Kind, Severity]] = {
    "dead_ingest": "critical",
    "stalled": "critical",
    "lagging": "warning",
    "policy_unused": "warning",
}
_NAMED: Final = 3
_BLIND: Final = Bilingual(
    en="What happens meanwhile is not judged: no channel is paused, whatever goes on there.",
    zh="在此期间新数据不被判断，无论发生什么渠道都不会被自动暂停。",
)
_RISKS: Final = {
    "channel_control": Bilingual(
        en="Orders are not carried out meanwhile, Tidegate's or people's: in need, pause at the platform itself.",
        zh="在此期间系统和人工的指令都不会执行；紧急时请直接在平台上暂停。",
    ),
    "alerting": Bilingual(
        en="Alerts of these partitions reach nobody meanwhile: look at the console.",
        zh="这些分区的告警在此期间无人收到，请查看控制台。",
    ),
}
_OVER: Final[dict[Kind, Bilingual]] = {
    "dead_ingest": Bilingual(en="Marks come again.", zh="时间标记已恢复。"),
    "stalled": Bilingual(
        en="It gets on again. What had waited is worked through now.", zh="已恢复推进，积压正在处理。"
    ),
    "lagging": Bilingual(en="It has caught up.", zh="已追上。"),
    "policy_unused": Bilingual(en="The published policy is in use.", zh="已使用最新发布的策略。"),
}


@dataclass(frozen=True, slots=True)
class Telling:
    """Makes a step into the fact that tells of it. belongs: whether an alert id belongs to the watchdog's partition."""

    limits: Limits
    belongs: Callable[[str], bool]

    def fact(self, step: Step, look: Look, now: datetime) -> AlertFact:
        """`now` in the zone in which people read times."""
        trouble, standing = step.trouble, step.standing
        opened = standing is None
        resolved = step.what == "resolved"
        title, summary = self._words(trouble, look, now)
        return AlertFact(
            alert_id=self._new_id(trouble, now) if standing is None else standing.alert_id,
            writer=WRITER,
            seq=0 if standing is None else standing.told + 1,
            at=now,
            status=step.what,
            severity=_SEVERITY[trouble.kind] if opened else None,
            indicator=trouble.kind,
            subject=f"service:{trouble.service}",
            level=None if resolved else max(1, len(trouble.places)),
            title=None if resolved else title,
            summary=_OVER[trouble.kind] if resolved else summary,
            opened_at=now if opened else None,
            runbook=f"services/alerting/runbook.md#{trouble.kind}",
        )

    def _new_id(self, trouble: Trouble, now: datetime) -> str:
        """Hashes until one falls into our partition, where all facts of this alert have to meet."""
        ids = (derive(WRITER, trouble.kind, trouble.service, now.isoformat(), str(number)) for number in count())
        return next(each for each in ids if self.belongs(each))

    def _words(self, trouble: Trouble, look: Look, now: datetime) -> tuple[Bilingual, Bilingual]:
        service, since = trouble.service, f"{now - timedelta(seconds=trouble.for_s):%H:%M:%S}"
        where = _names(trouble.places)
        if trouble.kind == "dead_ingest":
            title = Bilingual(
                en=f"Ingest has stopped: no mark since {since}", zh=f"ingest 已停止：{since} 起没有时间标记"
            )
            first = Bilingual(
                en="First look whether ingest runs, and what its /readyz says.",
                zh="请先检查 ingest 是否运行及其 /readyz。",
            )
        elif trouble.kind == "stalled":
            title = Bilingual(
                en=f"{service} stands still since {since}: {where.en}", zh=f"{service} 自 {since} 起停滞：{where.zh}"
            )
            first = Bilingual(
                en="There is something to read and nothing moves. First look whether it runs, then at its log.",
                zh="有数据待读但没有任何推进。请先检查该服务是否运行，再看日志。",
            )
        elif trouble.kind == "lagging":
            minutes = round(self.limits.lagging_s / 60)
            title = Bilingual(
                en=f"{service} is more than {minutes} min behind: {where.en}",
                zh=f"{service} 落后超过 {minutes} 分钟：{where.zh}",
            )
            first = Bilingual(
                en="It works, but too slowly. First look at the load, then start another worker.",
                zh="仍在处理但太慢。请先查看负载，再增加一个实例。",
            )
        else:
            return self._policy(look)
        risk = _RISKS.get(service, _BLIND)
        return title, Bilingual(en=f"{first.en} {risk.en}", zh=f"{first.zh}{risk.zh}")

    def _policy(self, look: Look) -> tuple[Bilingual, Bilingual]:
        used = ", ".join(sorted(look.marked))
        return Bilingual(
            en=f"Policy {look.published} is published, but {used} is judged by",
            zh=f"策略 {look.published} 已发布，但仍在使用 {used}",
        ), Bilingual(
            en="Thresholds are not what somebody believes they are. First look at ingest's log: it says why it did not "
            "take the document; publish a corrected version.",
            zh="实际阈值与预期不符。请先查看 ingest 日志中拒绝该文档的原因，并发布修正后的版本。",
        )


def zone_name(document: bytes | None) -> str:
    """The time zone of a policy document, the default where it has none that can be read."""
    try:
        return Policy.model_validate_json(document or b"").time_zone
    except ValueError:
        return str(Policy.model_fields["time_zone"].default)


def _names(places: tuple[At, ...]) -> Bilingual:
    """A few partitions by name, and how many more."""
    named: Iterator[str] = (f"{topic}/{partition}" for topic, partition in places[:_NAMED])
    listed = ", ".join(named)
    if (more := len(places) - _NAMED) <= 0:
        return Bilingual(en=listed, zh=listed.replace(", ", "、"))
    return Bilingual(en=f"{listed} and {more} more", zh=f"{listed.replace(', ', '、')} 等 {len(places)} 个分区")
