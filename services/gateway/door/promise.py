"""What a customer is promised: by when there is an answer, and how that is said. Pure."""

from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from schemas.answer_time import AnswerTime, answer_time_in
from schemas.base import Bilingual, from_ms, to_ms
from schemas.directory import Directory
from schemas.policy import Policy
from schemas.policy_topic import PolicyTopic
from services.runtime.calendar import Calendar

_WEEKDAYS: Final = "一二三四五六日"
_MINUTE_MS: Final = 60_000

__all__ = ["Promise", "PromiseBook", "in_words"]


class Promise:
    """The deadlines of one policy; the same that `complaint_sla` watches."""

    def __init__(self, policy: Policy) -> None:
        self._time: AnswerTime = answer_time_in(policy)
        self._calendar = Calendar(policy.calendar, policy.time_zone)
        self.directory: Directory = policy.directory
        self.zone = ZoneInfo(policy.time_zone)

    def answer_by(self, opened: datetime, *, high_net_worth: bool = False) -> datetime:
        """Whole minutes, rounded down: never later than what is watched."""
        wait_ms = self._time.wait_ms(high_net_worth=high_net_worth)
        due_ms = self._calendar.deadline(to_ms(opened), wait_ms, self._time.basis)
        return from_ms(due_ms - due_ms % _MINUTE_MS)


class PromiseBook:
    """Follows the topic `policy`. A policy that cannot be read never takes the place of a good one."""

    def __init__(self) -> None:
        self.current = Promise(Policy(version=1))
        self._topic = PolicyTopic()
        self._label: str | None = None

    def fold(self, key: bytes, value: bytes | None) -> None:
        """Takes in one record; raises ValueError for what is none of ours."""
        self._topic.fold(key, value)

    def adopt(self) -> None:
        """Promises by what the records so far put in force. Raises ValueError where that cannot be read."""
        policy = None if self._topic.active == self._label else self._topic.in_force()
        if policy is not None:
            self.current, self._label = Promise(policy), policy.label


def in_words(at: datetime, zone: ZoneInfo) -> Bilingual:
    """A moment as people say it, with its day of the week."""
    local = at.astimezone(zone)
    offset = _offset(local.utcoffset() or timedelta(0))
    return Bilingual(
        en=f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M} ({offset})",
        zh=f"{local.year}年{local.month}月{local.day}日（星期{_WEEKDAYS[local.weekday()]}）{local:%H:%M}（{offset}）",
    )


def _offset(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    sign, (hours, rest) = "+" if minutes >= 0 else "\u2212", divmod(abs(minutes), 60)
    return f"UTC{sign}{hours}" + (f":{rest:02}" if rest else "")
