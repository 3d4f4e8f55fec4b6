"""POST /do/{word}: gives the order of a page's form, and goes back to where the form was."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Annotated, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse

from schemas.commands import Command
from services.console.orders.desk_io import UNKNOWN, Desk
from services.console.orders.order_words import ORDER_WORDS
from services.console.orders.orders import Acknowledge, Order, Silence, command_id, command_of
from services.console.pages.frame.forms import Fields, FormError, order_of
from services.console.pages.frame.frame_io import PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor, inside
from services.console.people import Role
from services.console.signin.dangers import DANGEROUS, asked_for, is_confirmed
from services.console.state.feed_io import Feed
from services.runtime.http.api_io import ApiError

WAIT_S: Final = 2.0
"""How long the answer may wait for the outcome; what takes longer is told by the page when it is known."""
_LATEST: Final = 1000
_MOMENT: Final = timedelta(seconds=50)
_ABOUT_ALERTS: Final[Mapping[str, type[Order]]] = {"acknowledge": Acknowledge, "silence": Silence}


def form_routes(feed: Feed, desk: Desk, visiting: Visiting) -> APIRouter:
    """The route of all forms that give an order."""
    router = APIRouter(include_in_schema=False)
    latest = dict[str, Command]()

    @router.post("/do/{word}")
    async def give(word: str, request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        fields = await fields_of(request, visitor)
        if word in DANGEROUS and not visitor.is_fresh:
            return RedirectResponse(f"/signin/again?{urlencode({'next': inside(one(fields, 'back'))})}", 303)
        command = _command(word, fields, visitor, feed)
        confirmed(word, command.target, fields)
        return await given(desk, as_before(command, latest), fields)

    return router


def as_before(command: Command, latest: dict[str, Command]) -> Command:
    """The order as this form gave it before, if it did: pressed twice, only its end has moved by a moment."""
    first = latest.setdefault(command.command_id, command)
    if len(latest) > _LATEST:
        del latest[next(iter(latest))]
    if first.expires_at is None or command.expires_at is None or abs(command.expires_at - first.expires_at) >= _MOMENT:
        return command
    moved = command.model_copy(update={"expires_at": first.expires_at})
    return first if moved.fingerprint() == first.fingerprint() else command


async def given(desk: Desk, command: Command, fields: Fields) -> Response:
    """Gives an order, and leads back to the page that the form was on: a refusal by channel_control is told there, like
    any other outcome. Raises PageError where the order was not given."""
    try:
        await desk.give(command, WAIT_S, Response())
    except ApiError as error:
        if error.body.status != 409:
            raise not_given(error) from None
    return RedirectResponse(back_to(fields, command.command_id), 303)


def not_given(error: ApiError) -> PageError:
    """What a page says of an order that was not given, or of which that is not known."""
    why = error.body.detail
    if why == UNKNOWN:
        return PageError(
            503,
            f"{UNKNOWN}. Look how things stand before you give it again.",
            "Kafka 未及时确认，指令仍可能被执行。请先查看当前状态，再决定是否重新提交。",
        )
    return PageError(error.body.status, f"Not given: {why}", f"指令未提交：{error.zh or why}")


async def fields_of(request: Request, visitor: Visitor) -> Fields:
    """The fields of a form of ours. Raises PageError for one that did not come from a page of this visitor."""
    async with request.form(max_files=0, max_fields=2000) as form:
        fields = {name: [each for each in form.getlist(name) if isinstance(each, str)] for name in form}
    if not compare_digest(one(fields, "csrf").encode(), visitor.csrf.encode()):
        raise PageError(403, "This form is no longer valid: open the page anew.", "表单已失效，请重新打开页面。")
    return fields


def confirmed(word: str, target: str, fields: Fields) -> None:
    """Raises PageError for an order that asks to be confirmed in words, and was not."""
    if not is_confirmed(word, target, one(fields, "confirm")):
        name = asked_for(word, target)
        raise PageError(
            422,
            f"Not given: this asks you to type {name}, and something else was typed.",
            f"指令未提交：请输入 {name} 以确认。",
        )


def order_in(body: type[Order], fields: Fields, now: datetime) -> Order:
    """The order that a form gives. Raises PageError."""
    try:
        return order_of(body, fields, now)
    except FormError as error:
        raise PageError(422, f"The form is not complete: {error}", f"表单不完整：{error.told.zh}") from None


def needed(visitor: Visitor, role: Role) -> None:
    """Raises PageError for a visitor without this role."""
    if not visitor.person.is_at_least(role):
        raise PageError(403, f"This takes the role {role}.", f"此操作需要角色 {role}。")


def one(fields: Fields, name: str) -> str:
    """The last value of a field, empty for none."""
    values = fields.get(name, ())
    return values[-1] if values else ""


def back_to(fields: Fields, order: str) -> str:
    """The page that the form was on, told of the order."""
    place = urlsplit(inside(one(fields, "back")))
    query = [(name, value) for name, value in parse_qsl(place.query) if name != "order"]
    return f"{place.path}?{urlencode([*query, ('order', order)])}"


def _command(word: str, fields: Fields, visitor: Visitor, feed: Feed) -> Command:
    known = ORDER_WORDS.get(word)
    body = known.body if known is not None else _ABOUT_ALERTS.get(word)
    if body is None:
        raise PageError(404, "There is no such order.", "没有此指令。")
    needed(visitor, "operator" if known is None else known.role)
    now = datetime.now(UTC)
    order = order_in(body, fields, now.astimezone(feed.policy.zone))
    about = {} if known is not None else {"target": _subject(order, feed)}
    if "target" in type(order).model_fields:
        order, about = order.model_copy(update=about), {}
    new_id = command_id(visitor.person, one(fields, "key"), "")
    return command_of(word, order, visitor.person, new_id, now, **about)  # type: ignore[arg-type]


def _subject(order: Order, feed: Feed) -> str:
    alert_id: str | None = getattr(order, "alert_id", None)
    if alert_id is None:
        return str(getattr(order, "target", ""))
    alert = feed.alerts.get(alert_id)
    if alert is None:
        raise PageError(404, "No such alert is known.", "没有这条告警。")
    return alert.subject
