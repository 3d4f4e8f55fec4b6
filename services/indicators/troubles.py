"""Alerts about the indicators themselves: a rule whose code fails, a policy that cannot be judged by; each once."""

import logging
from collections.abc import Callable, Iterable

from schemas.base import Bilingual
from services.indicators.judging import Failure, Place
from services.indicators.outbox import Outbox
from services.indicators.registry import code_of
from services.indicators.rule import AnyRule, Words
from services.indicators.snapshot import Trouble
from services.indicators.tuning import InForce
from services.runtime.ids import derive

log = logging.getLogger(__name__)

_SETTLED = Words(
    Bilingual(en="Settled", zh="已恢复"),
    Bilingual(en="Another version is in use; the trouble is over.", zh="已换用新的版本，故障结束。"),
)


class Troubles:
    """Those that stand, by what they are about: `indicator:<id>` or `policy:<name/version>`."""

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

    def _open(self, about: str, digest: str, policy: str, words: Words, place: Place) -> bool:
        """Tells of it, once; whether this was the first time."""
        if about in self.standing:
            return False
        trouble = Trouble(derive("trouble", about, place.name), place.told_ms, digest, policy)
        self.standing[about] = trouble
        self._outbox.trouble(trouble.alert_id, about, "open", words, place.told_ms, trouble.opened_ms)
        return True

    def _settle(self, over: Callable[[str, Trouble], bool], place: Place) -> None:
        for about, trouble in sorted(self.standing.items()):
            if over(about, trouble):
                del self.standing[about]
                self._outbox.trouble(trouble.alert_id, about, "resolved", _SETTLED, place.told_ms, trouble.opened_ms)
