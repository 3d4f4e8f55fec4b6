"""The page of one alert, and the proof of its decisions."""

from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import RedirectResponse

from schemas.alerts import AlertState
from schemas.base import Bilingual, HexId
from services.console.jobs.proving_io import Prover
from services.console.pages.alerts.alerts_io import spoken, waiting_for
from services.console.pages.alerts.evidence import Shown, shown
from services.console.pages.alerts.inbox import row_of
from services.console.pages.alerts.runbook import section
from services.console.pages.board.standing import Reason, reasons
from services.console.pages.frame.forms_io import fields_of
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.indicators import figure
from services.console.pages.frame.speaking import Speaker
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.feed_io import Feed
from services.console.state.silences import StandingSilence
from services.incidents.explain import Story, about, chapters
from services.incidents.words import KINDS

Id = Annotated[HexId, Path()]
_EVERYTHING = 2**31
"""Of the audit that the console remembers."""


def alert_routes(frame: Frame, feed: Feed, prover: Prover, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False, prefix="/alerts/{alert_id}")
    known = partial(_alert, feed)

    @router.get("")
    async def show(alert_id: Id, visitor: Annotated[Visitor, Depends(visiting)], order: str | None = None) -> Response:
        alert, speaker = known(alert_id), frame.speaker(visitor)
        kind = alert.subject.partition(":")[0]
        waiting = [each for each in waiting_for(feed, visitor) if alert_id in each.alerts]
        may_act = visitor.person.is_at_least("operator")
        evidence = Shown() if alert.evidence is None else shown(alert.evidence, speaker)
        view: dict[str, Any] = {"waiting": waiting, "may_act": may_act, "evidence": evidence}
        view |= {
            "row": row_of(alert, waiting, may_act=may_act),
            "kind": KINDS.get(kind, Bilingual(en=kind, zh=kind)),
            "figure": lambda value: figure(alert.indicator, value, alert.threshold, speaker),
            "silences": _silences(feed, alert),
            "holds": _holds(feed, alert),
            "story": list(chapters(_story(feed, alert), speaker.language)),
            "runbook": section(alert.runbook, speaker.language),
        }
        return frame.page(visitor, "alert.html", order=order, **view, **_proof(prover, alert, speaker))

    @router.get("/proof")
    async def proof(alert_id: Id, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        """A part of the page, while a proof goes on."""
        speaker = frame.speaker(visitor)
        return frame.page(visitor, "proof.html", **_proof(prover, known(alert_id), speaker))

    @router.post("/proof")
    async def prove(alert_id: Id, request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        await fields_of(request, visitor)
        prover.start(known(alert_id).alert_id, visitor.person.name)
        return _back(alert_id)

    @router.post("/proof/stop")
    async def stop(alert_id: Id, request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        await fields_of(request, visitor)
        running = prover.running()
        if running is not None and not running.may_be_stopped_by(visitor.person):
            raise PageError(
                403,
                "Only who started it, or an operator, may stop a proof.",
                "仅发起者或“操作”角色可停止核验。",
            )
        await prover.stop(alert_id)
        return _back(alert_id)

    return router


def _back(alert_id: str) -> Response:
    return RedirectResponse(f"/alerts/{alert_id}#proof", 303)


def _alert(feed: Feed, alert_id: str) -> AlertState:
    alert = feed.alerts.get(alert_id)
    if alert is None:
        raise PageError(
            404,
            "This alert is not known, or no longer: what is over is forgotten after a month.",
            "没有这条告警，或已超过保存期限（恢复一个月后不再保留）。",
        )
    return alert


def _proof(prover: Prover, alert: AlertState, speaker: Speaker) -> dict[str, Any]:
    running = prover.running()
    busy = running if running is not None and running.alert_id != alert.alert_id else None
    return {"alert": alert, "proof": prover.look(alert.alert_id), "busy": busy, **spoken(speaker)}


def _silences(feed: Feed, alert: AlertState) -> list[StandingSilence]:
    """People's silences of it and of its subject."""
    standing = feed.silences.standing(datetime.now(UTC), ()).silences
    return [
        each
        for each in standing
        if each.alert_id == alert.alert_id or (each.alert_id is None and each.subject == alert.subject)
    ]


def _holds(feed: Feed, alert: AlertState) -> list[tuple[str, Reason]]:
    """What stands, waits or is over of what was ordered because of it, with its target."""
    targets = dict.fromkeys(action.target for action in alert.actions)
    found = ((target, each) for target in targets for each in reasons(feed.channels.get(target), feed.alerts.get))
    return [(target, each) for target, each in found if each.hold.alert_id == alert.alert_id]


def _story(feed: Feed, alert: AlertState) -> Story:
    """What was done and how things stand; the data are on the page already, as evidence."""
    since = feed.audit.newest(lambda record: record.at >= alert.opened_at, _EVERYTHING)
    targets = {alert.subject, *(action.target for action in alert.actions)}
    states = [state for target in targets if (state := feed.channels.get(target)) is not None]
    told = alert.model_copy(update={"evidence": None})
    return Story(told, (), (), about(alert.alert_id, since), states, feed.policy.zone, feed.policy.directory)
