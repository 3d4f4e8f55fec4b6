"""What a page says of an order that its visitor has just given. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from schemas.audit import AuditRecord, Outcome
from schemas.base import Bilingual

Tone = Literal["good", "waiting", "bad"]


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence, and how it sounds. why: what the service that judged the order has added."""

    tone: Tone
    sentence: Bilingual
    why: Bilingual | None = None
    target: str | None = None


_SENTENCES: Mapping[Outcome, tuple[Tone, str, str]] = MappingProxyType(
    {
        "done": ("good", "Done.", "已执行。"),
        "confirmed": ("good", "Done, and confirmed by the platform.", "已执行，平台已确认。"),
        "masked": ("waiting", "It stands, but an override keeps the target running.", "已登记，但人工放行期间不生效。"),
        "waiting": ("waiting", "It waits for the agreement of others.", "等待其他人批准。"),
        "repeated": ("good", "This order had been given before; it counts once.", "该指令此前已提交，只生效一次。"),
        "recorded": ("good", "Recorded.", "已记录。"),
        "delivered": ("good", "Delivered.", "已送达。"),
        "stale": (
            "bad",
            "Not done: the target has changed since you looked. Look again and decide anew.",
            "未执行：对象在您查看后已变化，请重新查看后再决定。",
        ),
        "refused": ("bad", "Refused.", "已拒绝。"),
        "failed": ("bad", "It failed.", "执行失败。"),
    }
)
_ON_ITS_WAY = Told(
    "waiting", Bilingual(en="On its way: the outcome is not known yet.", zh="指令已提交，结果稍后显示。")
)


def told_of(record: AuditRecord | None) -> Told:
    """By what the audit says came of it; None: nothing yet."""
    if record is None:
        return _ON_ITS_WAY
    tone, en, zh = _SENTENCES[record.outcome]
    return Told(tone, Bilingual(en=en, zh=zh), record.reason() if tone != "good" else None, record.target)
