"""The ways to the door: `GET /complaints`, a page; `POST /v1/complaints`, where its form goes and where apps send."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Security
from fastapi.responses import Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.gateway.bodies import JSON
from services.gateway.door import filing
from services.gateway.door.door_io import Door
from services.gateway.door.filing import Filled, Received
from services.gateway.senders import Sender
from services.runtime.http.api_io import ApiError, bearer, errors, refusal
from services.runtime.http.tokens import Tokens

FORM: Final = "application/x-www-form-urlencoded"
_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        JSON: {"schema": {"$ref": "#/components/schemas/NewComplaint"}},
        FORM: {"schema": {"type": "object", "properties": {name: {"type": "string"} for name in filing.FIELDS}}},
    },
}
_PAGE: Final = {"text/html": {"schema": {"type": "string", "description": "What whoever sent the form reads."}}}
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    **errors(401, 403, 415),
    202: {"description": "The broker has it.", "content": _PAGE},
    **{
        status: told | {"content": told["content"] | _PAGE}
        for status, told in errors(400, 408, 413, 422, 429, 503).items()
    },
}
_TOKEN: Final = HTTPBearer(auto_error=False, scheme_name="token", description="For apps; the page's form needs none.")


def door_routes(door: Door, tokens: Tokens[Sender], read: Callable[[Request], Awaitable[bytes]]) -> APIRouter:
    """The routes. `read`: gives the body of a request, within the bounds of all."""
    router = APIRouter()
    authenticated = bearer(tokens)

    @router.get("/complaints", include_in_schema=False)
    async def page(request: Request, lang: str = "", channel: str = "", product: str = "") -> Response:
        """The form; a link to it may name the channel and the product: `/complaints?channel=douyin`."""
        return door.blank(door.language(request, lang), Filled(channel=channel, product=product))

    @router.get("/complaints/door.css", include_in_schema=False)
    async def style() -> Response:
        return Response(door.pages.style, headers={"Cache-Control": "max-age=3600"}, media_type="text/css")

    @router.post(
        "/v1/complaints",
        status_code=202,
        response_model=Received,
        summary="Make a complaint, by the page's form or on behalf of a customer",
        responses=_RESPONSES,
        openapi_extra={"requestBody": _BODY},
    )
    async def post_complaint(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_TOKEN)]
    ) -> Any:
        """JSON takes a token that may send `complaint_opened`; a form is answered with a page."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if kind == FORM:
            try:
                body = await read(request)
            except ApiError as error:
                return door.turned_away(request, error.body.status)
            return await door.receive(body, request)
        if kind != JSON:
            raise refusal(415, f"the content type has to be {JSON} or {FORM}")
        owner = await authenticated(credentials)
        return await door.take(await read(request), owner)

    return router
