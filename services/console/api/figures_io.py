"""What can be asked of figures and readings."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel

from schemas.base import Bilingual, Instant, Name, Ref, from_ms, to_ms
from schemas.goals import FigureId
from schemas.readings import ReadingVerdict, Scope
from services.console.state.business import Business, Value, today
from services.console.state.feed_io import Feed
from services.console.state.figures import BY_ID, FIGURES, Figure, Unit
from services.console.state.readings import Point
from services.runtime.http.api_io import errors


class FigureValue(BaseModel):
    """A figure of one name. value: null where there is nothing to divide by. met: whether the goal is; null without."""

    name: str
    value: float | None
    goal: float | None
    met: bool | None


class FigureAnswer(BaseModel):
    """One figure, and what it is of each name of the scope."""

    id: FigureId
    title: Bilingual
    formula: Bilingual
    unit: Unit
    better: Literal["up", "down"] | None
    values: list[FigureValue]


class FigureList(BaseModel):
    """The figures of whole hours from `since` to `until`."""

    scope: Scope
    since: Instant
    until: Instant
    figures: list[FigureAnswer]


class PointAnswer(BaseModel):
    """A reading. value: null while the verdict is `unsure`."""

    at: Instant
    value: float | None
    threshold: float | None
    verdict: ReadingVerdict


class SubjectAnswer(PointAnswer):
    """The last reading of a subject."""

    subject: Ref


class ReadingAnswer(BaseModel):
    """How an indicator reads. latest: of each subject that was read within an hour. counts: where subjects are only
    counted. series: of the subject that was asked for, oldest first: of the last day one each five minutes, before that
    the worst of each hour."""

    indicator: str
    latest: list[SubjectAnswer]
    counts: dict[str, int]
    series: list[PointAnswer] = []


def figure_routes(feed: Feed, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> APIRouter:
    """The routes; who may use them is for the app to say."""
    router = APIRouter(prefix="/api/v1")
    business = Business(feed.tallies, feed.readings)

    @router.get("/figures", summary="The figures of the business", responses=errors(401, 422, 503))
    async def list_figures(
        scope: Annotated[Scope, Query(description="Of the whole, or by channel, product or segment.")] = "all",
        since: Annotated[Instant | None, Query(description="From here on; else from midnight on.")] = None,
        until: Annotated[Instant | None, Query(description="Up to here; else up to now.")] = None,
    ) -> FigureList:
        """Against the year's goals; docs/figures.md explains each."""
        begin, end = today(now(), feed.policy.zone)
        begin, end = begin if since is None else to_ms(since), end if until is None else to_ms(until)
        found: dict[FigureId, list[Value]] = {figure.id: [] for figure in FIGURES if scope in figure.scopes}
        for each in business.values(feed.policy.document.goals, scope, begin, end):
            found[each.figure.id].append(each)
        figures = [_figure(BY_ID[id_], values) for id_, values in found.items()]
        return FigureList(scope=scope, since=from_ms(begin), until=from_ms(end), figures=figures)

    @router.get("/readings/{indicator}", summary="How an indicator reads", responses=errors(401, 422, 503))
    async def get_readings(
        indicator: Annotated[Name, Path(description="As in `cac_spike`.")],
        subject: Annotated[Ref | None, Query(description="With its series.")] = None,
        since: Annotated[Instant | None, Query(description="The series from here on; else all that is kept.")] = None,
    ) -> ReadingAnswer:
        """Empty where nothing was read of it."""
        latest = [
            SubjectAnswer(subject=about, **_point(point).model_dump())
            for name, about, point in feed.readings.latest()
            if name == indicator and subject in (None, about)
        ]
        series = (
            [] if subject is None else feed.readings.series(indicator, subject, 0 if since is None else to_ms(since))
        )
        return ReadingAnswer(
            indicator=indicator,
            latest=sorted(latest, key=lambda each: each.subject),
            counts=feed.readings.counts(indicator),
            series=[_point(each) for each in series],
        )

    return router


def _figure(figure: Figure, values: list[Value]) -> FigureAnswer:
    return FigureAnswer(
        id=figure.id,
        title=figure.title,
        formula=figure.formula,
        unit=figure.unit,
        better=figure.better,
        values=[FigureValue(name=each.name, value=each.value, goal=each.goal, met=each.met) for each in values],
    )


def _point(point: Point) -> PointAnswer:
    return PointAnswer(at=from_ms(point.at_ms), value=point.value, threshold=point.threshold, verdict=point.verdict)
