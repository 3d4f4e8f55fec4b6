"""Alerts about what the indicators rest on: a rule whose code fails, a policy that cannot be judged by, a dead feed.

Each is told once, and settled once.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Final

from schemas.base import Bilingual
from schemas.topics import CHANNEL_EVENTS, CONVERSION_EVENTS
from services.indicators.registry import code_of
from services.indicators.rule import AnyRule, Words
from services.indicators.snapshot import Trouble
from services.indicators.subjects.feeds import Silence
from services.indicators.verdicts.judging import Failure, Place
from services.indicators.verdicts.outbox import About, Outbox
from services.indicators.verdicts.tuning import InForce
from services.runtime.ids import derive

log = logging.getLogger(__name__)

_SETTLED = Words(
    Bilingual(en="Settled", zh="已恢复"),
    Bilingual(en="Another version is in use; the trouble is over.", zh="已换用新的版本，故障结束。"),
)


_HEARD: Final = Words(
    Bilingual(en="Heard again", zh="已恢复"),
    Bilingual(
        en="Events come in again, or are expected no more after nine days.", zh="事件已恢复，或沉默满九天后不再等待。"
    ),
)
_EVENTS: Final = {
    CHANNEL_EVENTS: Bilingual(en="channel events", zh="渠道事件"),
    CONVERSION_EVENTS: Bilingual(en="conversion events", zh="转化事件"),
}


def _about(key: str) -> About:
    """What the key of a trouble says to people and programs."""
    kind, _, name = key.partition(":")
    if kind != "dead_feed":
        return About(name, key, kind)
    topic, _, channel = name.partition("/")
    if channel:
        return About(kind, f"channel:{channel}", kind, "warning")
    return About(kind, f"topic:{topic}", kind)


class Troubles:
    """Those that stand, by what they are about: `indicator:<id>`, `policy:<name/version>`, `dead_feed:<topic>` or
    `dead_feed:<topic>/<channel>`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.standing: dict[str, Trouble] = {}

    def failed(self, failures: Iterable[Failure], policy: InForce, place: Place) -> None:
        """Rules raised. Whatever they would have found is missed until their code or their figures change."""
        for failure in failures:
            rule, kind = failure.tuned.rule, type(failure.error).__name__
            en = f"Its code raised {kind}. It may miss trouble until it is repaired; all other indicators go on."
            zh = f"指标代码抛出 {kind}。修复之前该指标可能漏报，其余指标不受影响。"
            words = Words(
                Bilingual(en=f"Indicator {rule.id} has failed", zh=f"指标 {rule.id} 运行失败"), Bilingual(en=en, zh=zh)
            )
            if self._open(f"indicator:{rule.id}", code_of(rule).digest, policy.label, words, place):
                log.error("a rule raised", extra={"indicator": rule.id, "place": place.name}, exc_info=failure.error)

    def refused(self, label: str, problems: str, policy: InForce | None, place: Place) -> None:
        """A policy came that cannot be judged by."""
        kept = "no policy is in force and nothing is judged" if policy is None else f"{policy.label} stays in force"
        kept_zh = "当前没有生效的策略，所有指标停止判断" if policy is None else f"继续使用 {policy.label}"
        words = Words(
            Bilingual(en=f"Policy {label} cannot be used", zh=f"策略 {label} 无法使用"),
            Bilingual(en=f"{problems}. Until it is corrected, {kept}.", zh=f"{problems}。修正之前，{kept_zh}。"),
        )
        if self._open(f"policy:{label}", "", label, words, place):
            log.error("a policy was refused", extra={"policy": label, "problems": problems})

    def adopted(self, place: Place) -> None:
        """A policy came that can be judged by."""
        self._settle(lambda about, _: about.startswith("policy:"), place)

    def other_code(self, rules: Iterable[AnyRule], policy: InForce, place: Place) -> None:
        """Settles the failures of rules whose code or figures are not those that failed."""
        if self.standing:
            digests = {f"indicator:{rule.id}": code_of(rule).digest for rule in rules}
            self._settle(
                lambda about, trouble: (
                    about.startswith("indicator:")
                    and (trouble.digest, trouble.policy) != (digests.get(about), policy.label)
                ),
                place,
            )

    def silent(self, silences: Iterable[Silence], policy: InForce, place: Place) -> None:
        """The feeds that are dead now; the others are not, or not any more."""
        dead = {each.about: each for each in silences}
        self._settle(lambda about, _: about.startswith("dead_feed:") and about not in dead, place, _HEARD)
        for about, silence in dead.items():
            if about not in self.standing:
                self._open(about, "", policy.label, _silence(silence, policy), place)

    def _open(self, about: str, digest: str, policy: str, words: Words, place: Place) -> bool:
        """Tells of it, once; whether this was the first time."""
        if about in self.standing:
            return False
        trouble = Trouble(derive("trouble", about, place.name), place.told_ms, digest, policy)
        self.standing[about] = trouble
        self._outbox.trouble(trouble.alert_id, _about(about), "open", words, place.told_ms, trouble.opened_ms)
        return True

    def _settle(self, over: Callable[[str, Trouble], bool], place: Place, words: Words = _SETTLED) -> None:
        for about, trouble in sorted(self.standing.items()):
            if over(about, trouble):
                del self.standing[about]
                at, opened_ms = place.told_ms, trouble.opened_ms
                self._outbox.trouble(trouble.alert_id, _about(about), "resolved", words, at, opened_ms)


def _silence(silence: Silence, policy: InForce) -> Words:
    """A feed, or most of a topic, that is dead."""
    events, since = _EVENTS[silence.topic], f"{policy.days.local(silence.since_ms):%m-%d %H:%M}"
    risk = Bilingual(
        en="What is judged by them is blind meanwhile, and neither trips nor clears.",
        zh="在此期间依赖该数据的指标无法判断，既不触发也不解除。",
    )
    if silence.channel is None:
        count = f"{silence.silent} / {silence.known}"
        return Words(
            Bilingual(
                en=f"{events.en.capitalize()} of most channels are missing since {since}",
                zh=f"{since} 起多数渠道没有{events.zh}",
            ),
            Bilingual(
                en=f"Silent in this partition: {count} channels, so look at what brings them all: gateway, sender, "
                f"credentials. {risk.en}",
                zh=f"本分区沉默渠道：{count}。请先检查共同的来源：网关、发送方、凭证。{risk.zh}",
            ),
        )
    name = policy.around.policy.directory.label(f"channel:{silence.channel}")
    name = name or Bilingual(en=silence.channel, zh=silence.channel)
    return Words(
        Bilingual(
            en=f"Channel {name.en}: no {events.en} since {since}", zh=f"渠道 {name.zh}：{since} 起没有{events.zh}"
        ),
        Bilingual(
            en="They are usual at this time of day, and other channels have theirs: look at this channel's sender. "
            f"{risk.en}",
            zh=f"平时此时段应有数据，且其他渠道正常，请检查该渠道的发送方。{risk.zh}",
        ),
    )
