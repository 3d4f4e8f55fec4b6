"""How orders are called in both languages, wherever people read of them."""

from collections.abc import Sequence
from typing import Final

_PHRASES: Final = {
    "pause": ("pause {}", "暂停 {}"),
    "throttle": ("throttle {}", "对 {} 限流"),
    "freeze": ("freeze {}", "冻结 {}"),
    "take_down": ("take down {}", "下架 {}"),
    "resume": ("resume {}", "恢复 {}"),
    "override": ("keep {} running", "让 {} 保持运行"),
    "escalate": ("escalate {} to experts", "将 {} 上报专家"),
}
_NAMED: Final = 3
"""More targets than this are counted, not named."""


def phrase(action: str, targets: Sequence[str], language: int) -> str:
    """An action on these targets, in English (0) or Chinese (1). One that has no phrase is called by its name."""
    named = _targets(targets, language)
    return _PHRASES[action][language].format(named) if action in _PHRASES else f"{action} {named}"


def _targets(targets: Sequence[str], language: int) -> str:
    if len(targets) <= _NAMED:
        return (", " if language == 0 else "、").join(targets)
    rest = len(targets) - 1
    return f"{targets[0]} and {rest} more" if language == 0 else f"{targets[0]} 等 {rest + 1} 个对象"
