"""Which platforms are away: what was last heard of each, by all who call it in this process."""

from dataclasses import dataclass
from typing import Final

from schemas.base import Bilingual
from services.channel_control.enforcing.reconcile import FROZEN, LONGEST_RETRY_AFTER_S, Answer, Trouble
from services.channel_control.sentences import own

_ABSENT: Final = frozenset(
    {"timeout", "unreachable", "bad_answer", "rate_limited", "http_401", "http_403", "http_408", "http_429"}
)
"""Kinds of trouble that are not about one target; any 5xx is another."""
_SILENT: Final = frozenset({FROZEN, "internal", "no_platform", "unmapped"})
"""Kinds where no platform was asked."""


@dataclass(slots=True)
class _Sight:
    """Since when (monotonic) no answer was good, and what the last one was; None: the last one was good.

    rests_until: until when it has asked to be left alone. answered_at: when the last good answer came.
    """

    since: float | None
    reason: Bilingual
    rests_until: float = 0.0
    answered_at: float | None = None


class Sights:
    """after_s: a platform is away once it has given no good answer for so long."""

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._sights: dict[str, _Sight] = {}

    def heard(self, platform: str, answer: Answer, now: float) -> None:
        """What came of a call."""
        if not isinstance(answer, Trouble) or not _says_nothing(answer):
            self._sights[platform] = _Sight(None, own(""), answered_at=now)
        elif answer.kind not in _SILENT:
            sight = self._sights.setdefault(platform, _Sight(now, answer.said))
            sight.since = now if sight.since is None else sight.since
            sight.reason = answer.said
            sight.rests_until = now + min(answer.retry_after_s, LONGEST_RETRY_AFTER_S)

    def is_away(self, platform: str, now: float) -> bool:
        """Whether it has given no good answer for long enough to say so."""
        sight = self._sights.get(platform)
        return sight is not None and sight.since is not None and now - sight.since >= self._after_s

    def is_there(self, platform: str) -> bool:
        """Whether its last answer was good."""
        sight = self._sights.get(platform)
        return sight is not None and sight.since is None

    def has_answered(self, platform: str, since: float) -> bool:
        """Whether it has given a good answer after a moment, be it that it has failed again."""
        sight = self._sights.get(platform)
        return sight is not None and sight.answered_at is not None and sight.answered_at > since

    def rests(self, platform: str, now: float) -> bool:
        """Whether it has asked to be left alone for now."""
        sight = self._sights.get(platform)
        return sight is not None and now < sight.rests_until

    def reason(self, platform: str) -> Bilingual:
        """What was last heard of one that is away."""
        return self._sights[platform].reason


def _says_nothing(trouble: Trouble) -> bool:
    """Whether an answer leaves open if the platform does its work; a refusal of one order does not."""
    return trouble.kind in _ABSENT | _SILENT or trouble.kind.startswith("http_5")
