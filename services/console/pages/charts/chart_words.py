"""What charts say of themselves, in one language: for people who hear a page, and when a chart is pointed at. Pure."""

from collections.abc import Sequence
from typing import Final

from services.console.pages.charts.chart_data import Frame, Reading, Series, Show
from services.console.pages.charts.plotting import is_drawable
from services.console.pages.frame.speaking import Language

SIGNS: Final = ("▼", "◆", "●", "■")
"""One for each lane of marks, so that they differ by more than their colour."""

_VERDICTS: Final[dict[str, dict[Language, str]]] = {
    "calm": {"en": "within its limit", "zh": "未超过阈值"},
    "warning": {"en": "near its limit", "zh": "接近阈值"},
    "breach": {"en": "beyond its limit", "zh": "超过阈值"},
    "unsure": {"en": "too little data to say", "zh": "数据不足，无法判断"},
}
_NOTHING: Final[dict[Language, str]] = {"en": "no readings", "zh": "暂无读数"}


def spark(name: str, last: Reading | None, threshold: float | None, language: Language, show: Show) -> str:
    """A small line in a sentence: the last value, the threshold, and the verdict."""
    if last is None:
        return _joined(language, name, [_NOTHING[language]])
    return _joined(language, name, _reading(last, threshold, language, show))


def summary(title: str, series: Sequence[Series], threshold: float | None, holds: int, trips: int, frame: Frame) -> str:
    """A timeline in a sentence."""
    said: list[str] = []
    for each in series:
        named = f"{each.name} " if len(series) > 1 else ""
        last = each.readings[-1] if each.readings else None
        told = [_NOTHING[frame.language]] if last is None else _reading(last, threshold, frame.language, frame.show)
        said += [named + told[0], *told[1:]]
    counted = {"en": f"holds {holds}, trips {trips}", "zh": f"限制措施 {holds} 项，触发 {trips} 次"}
    return _joined(frame.language, title, [*said, counted[frame.language]])


def _reading(reading: Reading, threshold: float | None, language: Language, show: Show) -> list[str]:
    limit = reading.threshold if threshold is None else threshold
    said = []
    if reading.value is not None and is_drawable(reading.value):
        said.append({"en": "last ", "zh": "最新值 "}[language] + show(reading.value))
    if limit is not None and is_drawable(limit):
        said.append({"en": "limit ", "zh": "阈值 "}[language] + show(limit))
    return [*said, _VERDICTS.get(reading.verdict, _VERDICTS["unsure"])[language]]


def _joined(language: Language, name: str, said: Sequence[str]) -> str:
    colon, comma = (": ", ", ") if language == "en" else ("：", "，")
    return name + colon + comma.join(said)
