"""Seeing what a policy would have done: begins a trial, shows how far it is, and what it has found."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from services.console.jobs.trials import DAYS, Trial
from services.console.jobs.trials_io import TrialRefusedError, Trials
from services.console.pages.frame.forms_io import fields_of, needed, one
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.pages.policy import policy as views
from services.console.pages.policy.policy_edit_io import text_in
from services.console.pages.policy.trial_charts import TrialCharts
from services.console.state.feed_io import Feed
from services.policies.meaning import titles
from services.policies.reading import check
from services.policies.words import ACTIONS


def policy_trial_routes(frame: Frame, feed: Feed, visiting: Visiting, trials: Trials) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)

    @router.post("/policy/try")
    async def begin(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        fields = await fields_of(request, visitor)
        needed(visitor, "operator")
        text, days = text_in(fields), one(fields, "days")
        after, _ = await asyncio.to_thread(check, text)
        before = views.policy_of(feed.policies, feed.policies.active)
        if after is None or before is None:
            raise PageError(
                422, "The document is not valid yet: mend it, then try it.", "文档尚有错误，请先修正再试算。"
            )
        span = int(days) if days.isdecimal() and int(days) in DAYS else 30
        try:
            trial = trials.begin(visitor.person.name, datetime.now(UTC), span, (before, after), text)
        except TrialRefusedError as error:
            raise PageError(409, f"Not begun: {error}.", f"未开始：{error.told.zh}。") from None
        return RedirectResponse(f"/policy/trial/{trial.trial_id}", 303)

    @router.get("/policy/trial/{trial_id}")
    async def show(trial_id: str, request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        """A page that still asks how far it is, is told to load the result."""
        trial = _known(trial_id)
        if "hx-request" in request.headers and trial.state != "running":
            return Response(status_code=204, headers={"HX-Refresh": "true"})
        outcome = trial.outcome
        charts = None if outcome is None else TrialCharts(outcome, titles(), feed.policy.zone, visitor.language)
        return frame.page(
            visitor,
            "policy_trial.html",
            trial=trial,
            outcome=outcome,
            charts=charts,
            actions=ACTIONS,
            stands=trial.before == feed.policies.active,
        )

    @router.post("/policy/trial/{trial_id}/cancel")
    async def cancel(trial_id: str, request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        await fields_of(request, visitor)
        needed(visitor, "operator")
        await trials.cancel(_known(trial_id))
        return RedirectResponse(f"/policy/trial/{trial_id}", 303)

    def _known(trial_id: str) -> Trial:
        trial = trials.get(trial_id)
        if trial is None:
            raise PageError(
                404, "This trial is no longer kept: try the policy again.", "该试算结果已不保留，请重新试算。"
            )
        return trial

    return router
