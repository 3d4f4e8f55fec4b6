"""The policy: what is in force, how it came about, and what people say to what is proposed."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from schemas.policy_topic import PolicyTopic
from services.console.orders.policy_desk_io import Changing, PolicyAwayError
from services.console.pages.frame.forms_io import fields_of, needed, one
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.pages.policy import policy as views
from services.console.people import Role
from services.console.state.directory import unnamed
from services.console.state.feed_io import Feed
from services.policies.changed_words import changed_rows
from services.policies.changes import Ask, Change, RefusedError, rollback
from services.policies.changing_io import Plan
from services.policies.deciding import approve, reject, withdraw
from services.policies.meaning import meanings
from services.policies.text import text_of
from services.policies.words import ACTIONS, MATURITIES

NEWEST: Final = 30
"""Versions that the page shows at once."""
Label = Annotated[str, Query(max_length=300)]


def policy_routes(frame: Frame, feed: Feed, visiting: Visiting, desk: Changing) -> APIRouter:
    """The routes that show, agree and go back."""
    router = APIRouter(include_in_schema=False)

    @router.get("/policy")
    async def show(visitor: Annotated[Visitor, Depends(visiting)], about: Label = "", all: bool = False) -> Response:
        """about: the version that was just asked for. all: the whole history, not only the newest."""
        now, topic = datetime.now(UTC), feed.policies
        policy = views.policy_of(topic, topic.active)
        nameless = unnamed(feed.policy.directory, feed.channels, feed.alerts)
        known = {each.label: each for each in views.versions(topic, now)}
        return frame.page(
            visitor,
            "policy.html",
            policy=policy,
            active=known.get(topic.active or ""),
            about=about,
            about_version=known.get(about),
            waiting=views.waiting(topic, visitor.person, now),
            meanings=[] if policy is None else meanings(policy),
            rest="" if policy is None else views.rest_of(policy),
            nameless=len(nameless.channels) + len(nameless.products),
            naming=views.naming(nameless),
            most_unnamed=views.MAX_UNNAMED,
            versions=list(known.values()),
            shown=list(known.values())[: None if all else NEWEST],
            actions=ACTIONS,
            maturities=MATURITIES,
        )

    @router.get("/policy/version")
    async def version(visitor: Annotated[Visitor, Depends(visiting)], label: Label) -> Response:
        policy = views.policy_of(feed.policies, label)
        if policy is None:
            raise _unknown(label)
        record = feed.policies.records.get(label)
        return frame.page(visitor, "policy_version.html", label=label, said=text_of(policy), record=record)

    @router.get("/policy/diff")
    async def diff(visitor: Annotated[Visitor, Depends(visiting)], a: Label, b: Label) -> Response:
        before, after = (views.policy_of(feed.policies, each) for each in (a, b))
        if before is None or after is None:
            raise _unknown(a if before is None else b)
        rows = changed_rows(before, after)
        return frame.page(visitor, "policy_diff.html", a=a, b=b, rows=rows[: views.MAX_ROWS], total=len(rows))

    def saying(word: str, role: Role, plan: Callable[[PolicyTopic, str, Ask], Change]) -> None:
        """The route of a word about a version that waits."""

        @router.post(f"/policy/{word}", name=word)
        async def say(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
            fields = await fields_of(request, visitor)
            needed(visitor, role)
            label = one(fields, "label")
            await change(desk, visitor, one(fields, "reason"), lambda topic, ask: plan(topic, label, ask))
            return RedirectResponse(f"/policy?about={quote(label)}", 303)

    saying("approve", "approver", approve)
    saying("reject", "approver", reject)
    saying("withdraw", "operator", withdraw)

    @router.post("/policy/rollback")
    async def go_back(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        fields = await fields_of(request, visitor)
        needed(visitor, "operator")
        label, made = one(fields, "label"), ""

        def plan(topic: PolicyTopic, ask: Ask) -> Change:
            nonlocal made
            made = f"{label.rpartition('/')[0]}/{topic.highest(label.rpartition('/')[0]) + 1}"
            return rollback(topic, label, ask)

        await change(desk, visitor, one(fields, "reason"), plan)
        return RedirectResponse(f"/policy?about={quote(made)}", 303)

    return router


async def change(desk: Changing, visitor: Visitor, reason: str, plan: Plan) -> Change:
    """A change by this visitor, with a reason. Raises PageError."""
    if not reason.strip():
        raise PageError(422, "Say why: the audit keeps it.", "请填写原因，将写入审计。")
    ask = Ask(visitor.person.name, datetime.now(UTC), reason.strip()[:2000])
    try:
        return await desk.change(ask, plan)
    except RefusedError as error:
        raise PageError(409, f"Refused: {error}", f"未执行：{error.told.zh}") from None
    except PolicyAwayError:
        raise PageError(
            503,
            "Kafka has not taken the change in time. Look at the history before you try again. Where it says that the "
            "version is in force, have it told to all once more: tidegate policy approve VERSION",
            "Kafka 未及时确认，请先查看历史再重试。若历史显示该版本已生效，请再次通知各服务："
            "tidegate policy approve 版本号",
        ) from None


def _unknown(label: str) -> PageError:
    return PageError(404, f"There is no {label} that this release can read.", f"没有本版本可读取的策略 {label}。")
