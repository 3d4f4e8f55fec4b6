"""Editing the policy: a document or a form, checked while somebody writes, and proposed."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated, Final, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from schemas.base import Bilingual
from schemas.policy import Policy
from schemas.policy_topic import PolicyTopic
from services.console.jobs.trials import DAYS
from services.console.jobs.trials_io import Trials
from services.console.orders.policy_desk_io import Changing
from services.console.pages.frame.forms import Fields
from services.console.pages.frame.forms_io import fields_of, needed, one
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.pages.policy import policy as views
from services.console.pages.policy.policy_io import Label, change
from services.console.state.feed_io import Feed
from services.policies.changes import Ask, apply
from services.policies.editing import CannotEditError
from services.policies.reading import check
from services.policies.settable import put_figure, settable

MAX_BYTES: Final = 100_000
"""Of a document in the form: with all that a form adds, it then fits into a request."""


def policy_edit_routes(frame: Frame, feed: Feed, visiting: Visiting, desk: Changing, trials: Trials) -> APIRouter:
    """The routes."""
    router = APIRouter(include_in_schema=False)

    def ask_of(visitor: Visitor) -> Ask:
        return Ask(visitor.person.name, datetime.now(UTC))

    async def page(
        visitor: Visitor,
        text: str,
        problem: Bilingual | Literal["", "reason"] = "",
        status: int = 200,
        reason: str = "",
    ) -> Response:
        checked = await asyncio.to_thread(views.checked, text, views.still(feed.policies), ask_of(visitor))
        in_force = views.policy_of(feed.policies, feed.policies.active) or Policy(version=1)
        return frame.page(
            visitor,
            "policy_edit.html",
            status=status,
            document=text,
            reason=reason,
            checked=checked,
            problem=problem,
            settable=list(settable(in_force)),
            channels=sorted(feed.policy.directory.channels),
            active=feed.policies.active,
            days=DAYS,
            trials=trials,
        )

    @router.get("/policy/edit")
    async def edit(
        visitor: Annotated[Visitor, Depends(visiting)],
        base: Label = "",
        trial: str = "",
    ) -> Response:
        """Goes on from a version, or from what was tried."""
        tried = trials.get(trial)
        said = views.draft_of(feed.policies, base or feed.policies.active) if tried is None else tried.text
        return await page(visitor, said)

    @router.post("/policy/edit")
    async def edited(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        """Without scripts: the same page again, checked, or with a figure set."""
        fields = await fields_of(request, visitor)
        text = text_in(fields)
        if one(fields, "do") != "put":
            return await page(visitor, text, reason=one(fields, "reason"))
        try:
            return await page(
                visitor,
                await asyncio.to_thread(_put, text, fields, views.still(feed.policies)),
                reason=one(fields, "reason"),
            )
        except CannotEditError as error:
            return await page(visitor, text, error.told, 422, one(fields, "reason"))

    @router.post("/policy/check")
    async def check_it(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        """The part of the page that says what is wrong, or what would change."""
        text = text_in(await fields_of(request, visitor))
        checked = await asyncio.to_thread(views.checked, text, views.still(feed.policies), ask_of(visitor))
        return frame.page(visitor, "policy_checked.html", checked=checked, active=feed.policies.active)

    @router.post("/policy/propose")
    async def propose(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        fields = await fields_of(request, visitor)
        needed(visitor, "operator")
        text, reason = text_in(fields), one(fields, "reason")
        policy, problems = await asyncio.to_thread(check, text)
        if policy is None or not reason.strip():
            return await page(visitor, text, "" if problems else "reason", 422, reason)
        await change(desk, visitor, reason, lambda topic, ask: apply(topic, policy, ask))
        return RedirectResponse(f"/policy?about={quote(policy.label)}", 303)

    return router


def text_in(fields: Fields) -> str:
    """The document of a form; browsers end lines with two signs. Raises PageError."""
    text = one(fields, "document").replace("\r\n", "\n")
    if len(text.encode()) > MAX_BYTES:
        raise PageError(
            413,
            f"The document is longer than {MAX_BYTES:,} bytes: apply it with tidegate policy apply.",
            f"文档超过 {MAX_BYTES:,} 字节，请使用 tidegate policy apply。",
        )
    return text


def _put(text: str, fields: Fields, topic: PolicyTopic) -> str:
    indicator, _, name = one(fields, "figure").partition(".")
    edited = put_figure(text, indicator, name, one(fields, "subject").strip(), one(fields, "value"))
    return views.renumbered(edited, topic)
