"""Which receivers people have to be told of: one that is dead, and a name that nobody has. Pure; times in seconds.

What stands is read from the machines, as the watchdog does, so that a restart opens nothing twice. Each worker speaks
of what it sees: with several of them a dead receiver may have an alert from each.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Final, Literal

from schemas.alerts import AlertFact
from schemas.base import Bilingual
from services.alerting.sending.condition import NOTHING, Condition, Ill
from services.runtime.ids import derive
from services.runtime.murmur import partition_of

WRITER: Final = "receivers"
SUBJECT: Final = "receiver:"
"""What these alerts are about, before the name."""
FORGET_S: Final = 3600.0
"""So long nobody must have sent anything to a name that nobody has, before its alert is over."""

Kind = Literal["dead_receiver", "unknown_receiver"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What is wrong with one receiver."""

    kind: Kind
    name: str
    ill: Ill | None = None
    problem: Bilingual = NOTHING


@dataclass(frozen=True, slots=True)
class Standing:
    """An alert of ours that is open; `told` is the number of its newest fact."""

    alert_id: str
    kind: str
    name: str
    told: int


@dataclass(frozen=True, slots=True)
class Look:
    """How things are. unknown: names that nobody has, and for how long nothing was to go to each."""

    conditions: Mapping[str, Condition]
    unknown: Mapping[str, float]
    now: float


def troubles(look: Look) -> Iterator[Trouble]:
    """All there are."""
    for name, condition in look.conditions.items():
        if (ill := condition.ill(look.now)) is not None:
            yield Trouble("dead_receiver", name, ill, condition.problem)
    for name, quiet_s in look.unknown.items():
        if quiet_s < FORGET_S:
            yield Trouble("unknown_receiver", name)


def new_troubles(look: Look, standing: Collection[Standing]) -> list[Trouble]:
    """Those of which no alert tells yet."""
    known = {(each.kind, each.name) for each in standing}
    return [trouble for trouble in troubles(look) if (trouble.kind, trouble.name) not in known]


def over(look: Look, standing: Iterable[Standing], watched_s: float) -> list[Standing]:
    """The alerts that are over. watched_s: for how long this process has been looking."""
    return [each for each in standing if _is_over(look, each, watched_s)]


def _is_over(look: Look, alert: Standing, watched_s: float) -> bool:
    condition = look.conditions.get(alert.name)
    if condition is not None:
        return condition.works if alert.kind == "dead_receiver" else True
    return look.unknown.get(alert.name, watched_s) >= FORGET_S


def opened(trouble: Trouble, now: datetime, partition: int, partitions: int) -> AlertFact:
    """The fact that opens an alert, whose id belongs to this partition of so many."""
    title, summary = _words(trouble)
    ids = (derive(WRITER, trouble.kind, trouble.name, now.isoformat(), str(number)) for number in count())
    return AlertFact(
        alert_id=next(each for each in ids if partition_of(each.encode(), partitions) == partition),
        writer=WRITER,
        seq=0,
        at=now,
        status="open",
        severity="critical",
        indicator=trouble.kind,
        subject=f"{SUBJECT}{trouble.name}",
        level=1,
        title=title,
        summary=summary,
        opened_at=now,
        runbook=f"services/alerting/runbook.md#{trouble.kind}",
    )


def resolved(alert: Standing, look: Look, now: datetime) -> AlertFact:
    """The fact that ends it."""
    summary = _NOT_NEEDED
    if alert.name in look.conditions:
        summary = _WORKS if alert.kind == "dead_receiver" else _KNOWN
    return AlertFact(
        alert_id=alert.alert_id, writer=WRITER, seq=alert.told + 1, at=now, status="resolved", summary=summary
    )


_WORKS: Final = Bilingual(en="It takes messages again.", zh="已恢复接收。")
_KNOWN: Final = Bilingual(en="There is a receiver of that name now.", zh="现已有该名称的接收方。")
_NOT_NEEDED: Final = Bilingual(
    en="Nothing has been due to a receiver of that name for an hour.", zh="一小时内没有消息发往该名称的接收方。"
)
_UNKNOWN: Final = Bilingual(
    en="Messages that a route sends there are recorded as failed and reach nobody. Correct the route in the policy, or "
    "name the receiver in the receivers' file and restart alerting.",
    zh="路由到该处的消息记为失败，无人收到。请修正策略中的路由，或在接收方文件中添加该名称并重启 alerting。",
)
_ILL: Final[dict[Ill, Bilingual]] = {
    "gone": Bilingual(
        en="It has answered that it wants no more messages (410). Correct its address and restart alerting; what was "
        "due to it meanwhile stands in the audit as failed.",
        zh="对方答复不再接收消息（410）。请修正地址并重启 alerting；期间的消息在审计中记为失败。",
    ),
    "given_up": Bilingual(
        en="A message to it was given up: {problem}. The audit names it. Look whether it can be reached from here.",
        zh="发往该处的一条消息已放弃：{problem}。详见审计，请检查网络与对方服务。",
    ),
    "failing": Bilingual(
        en="Every attempt of the last quarter of an hour has failed: {problem}. Messages wait and are tried again.",
        zh="最近 15 分钟的发送全部失败：{problem}。消息仍在等待并会重试。",
    ),
}


def _words(trouble: Trouble) -> tuple[Bilingual, Bilingual]:
    if trouble.ill is None:
        title = Bilingual(
            en=f"No receiver of alerts is called {trouble.name}", zh=f"没有名为 {trouble.name} 的告警接收方"
        )
        return title, _UNKNOWN
    title = Bilingual(en=f"Alerts do not reach the receiver {trouble.name}", zh=f"告警无法送达接收方 {trouble.name}")
    said = _ILL[trouble.ill]
    problem = trouble.problem
    return title, Bilingual(en=said.en.format(problem=problem.en), zh=said.zh.format(problem=problem.zh))
