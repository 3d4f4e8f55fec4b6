"""The door for complaints: takes in what people fill in, and what apps send for their customers."""

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from pydantic import ValidationError

from schemas.base import Bilingual
from schemas.events import TOPIC_OF, ComplaintOpened, routing_key
from schemas.problems import ProblemDetails, problems_of
from services.gateway import metrics
from services.gateway.budget import NoRoomError
from services.gateway.door import filing, form_note, words
from services.gateway.door.filing import Filled, NewComplaint, Received
from services.gateway.door.languages import Language, chosen
from services.gateway.door.page import HEADERS, Pages
from services.gateway.door.promise import Promise
from services.gateway.door.recent import WINDOW_S, Recent
from services.gateway.door.settings import DoorSettings
from services.gateway.publishing import Publishing
from services.gateway.senders import Sender
from services.runtime.client_address import client_address, household, public
from services.runtime.http.api_io import ApiError, refusal
from services.runtime.kafka.publisher_io import BrokerAwayError
from services.runtime.machines.machine import Output
from services.runtime.tracing import traces_io

RETRY_S: Final = 2


class NotKeptError(Exception):
    """The broker has not acknowledged it."""


class _NotSentError(Exception):
    """Why a form is shown again: a status, a sentence, the outcome that is counted, and what to mend, by field."""

    def __init__(
        self, status: int, told: Bilingual, outcome: str, problems: Mapping[str, Bilingual] = MappingProxyType({})
    ) -> None:
        super().__init__(told.en)
        self.status, self.told, self.outcome, self.problems = status, told, outcome, problems


class Door:
    """Takes complaints in. `promised`: what the policy in force promises, None while it is not known."""

    def __init__(
        self, settings: DoorSettings, key: bytes, publisher: Publishing, promised: Callable[[], Promise | None]
    ) -> None:
        assert settings.gateway_door_institution is not None  # noqa: S101 - the settings see to that
        self._settings = settings
        self._key = key
        self._publisher = publisher
        self._promised = promised
        self._recent = Recent(settings.gateway_door_per_address, settings.gateway_door_per_hour)
        self.pages = Pages(settings.gateway_door_institution)

    def language(self, request: Request, asked: str | None) -> Language:
        """Of the page that answers a request."""
        return chosen(asked, request.headers.get("accept-language", ""), self.pages.institution.languages)

    def blank(self, language: Language, form: Filled) -> Response:
        """The form, with a new note."""
        return self._form(language, self._renewed(form))

    async def receive(self, body: bytes, request: Request) -> Response:
        """What comes of a form that was sent."""
        try:
            form = filing.filled(body)
        except ValueError:
            raise refusal(400, "this is no form") from None
        language = self.language(request, form.lang)
        try:
            return await self._receive(form, self._nonce(form), language, request)
        except _NotSentError as error:
            metrics.COMPLAINTS.labels(error.outcome).inc()
            form = self._renewed(form) if error.told is words.TOO_OLD else form
            return self._form(language, form, error.status, error.told, error.problems)

    def turned_away(self, request: Request, status: int) -> Response:
        """What somebody is told whose form could not even be read."""
        told = words.TOO_LARGE if status == 413 else words.BUSY
        return _page(self.pages.sorry(self.language(request, None), told), status)

    def _nonce(self, form: Filled) -> str:
        try:
            return form_note.read(self._key, form.note, time.time())
        except form_note.TooFastError:
            raise _NotSentError(422, words.TOO_FAST, "not_sent") from None
        except (form_note.ForgedError, form_note.ExpiredError):
            raise _NotSentError(422, words.TOO_OLD, "not_sent") from None

    async def _receive(self, form: Filled, nonce: str, language: Language, request: Request) -> Response:
        promise = self._promised()
        if promise is None:
            raise _NotSentError(503, words.NOT_KEPT, "unacknowledged")
        if problems := filing.problems_of(form, promise.directory):
            raise _NotSentError(422, words.MEND, "not_sent", problems)
        number, address = filing.number_of(form, nonce), self._address(request)
        opened = datetime.now(UTC)
        try:
            known_s = self._recent.admit(household(address), number, time.monotonic())
            if known_s is None:
                elsewhere = self._settings.gateway_door_channel
                await self.publish(filing.event_of_form(form, number, public(address), elsewhere, opened))
                self._recent.keep(number, time.monotonic())
            else:
                opened -= timedelta(seconds=known_s)
        except NoRoomError:
            raise _NotSentError(429, words.TOO_MANY, "too_many") from None
        except NotKeptError:
            self._recent.withdraw(number)
            raise _NotSentError(503, words.NOT_KEPT, "unacknowledged") from None
        return _page(self.pages.received(language, form, number, promise.answer_by(opened), promise), 202)

    async def take(self, body: bytes, owner: Sender) -> Received:
        """What comes of what an app has sent. Raises ApiError."""
        promise = self._promised()
        if promise is None:
            raise _unknown()
        try:
            given = NewComplaint.model_validate_json(body)
        except ValidationError as error:
            raise ApiError(ProblemDetails.of(422, "the complaint is not valid", errors=problems_of(error))) from None
        number = filing.number("app", owner.name, given.request_id or secrets.token_hex(16))
        event = filing.event_of(given, number, datetime.now(UTC))
        if objections := list(owner.objections(event)):
            raise ApiError(ProblemDetails.of(403, "this token may not send this complaint", errors=objections))
        try:
            await self.publish(event)
        except NotKeptError:
            raise _unknown() from None
        rich = given.segment == "high_net_worth"
        return Received(complaint_id=number, answer_by=promise.answer_by(event.occurred_at, high_net_worth=rich))

    async def publish(self, event: ComplaintOpened) -> None:
        """Returns once the broker has it. Raises NotKeptError."""
        value = event.model_dump_json(exclude_none=True).encode()
        message = Output(TOPIC_OF[event.type], routing_key(event).encode(), value)
        try:
            # Whether it is traced is not for those to say who stand before a public door.
            with traces_io.request("POST /v1/complaints", None):
                missing = await self._publisher.publish([message])
        except BrokerAwayError:
            raise NotKeptError from None
        if missing:
            raise NotKeptError
        metrics.COMPLAINTS.labels("accepted").inc()

    def _form(
        self,
        language: Language,
        form: Filled,
        status: int = 200,
        told: Bilingual | None = None,
        problems: Mapping[str, Bilingual] = MappingProxyType({}),
    ) -> Response:
        promise = self._promised()
        if promise is None:
            return _page(self.pages.sorry(language, words.STARTING), 503)
        return _page(self.pages.form(language, form, promise, datetime.now(UTC), told, problems), status)

    def _renewed(self, form: Filled) -> Filled:
        return replace(form, note=form_note.issue(self._key, secrets.token_hex(8), time.time()))

    def _address(self, request: Request) -> str:
        peer = "" if request.client is None else request.client.host
        return client_address(peer, request.headers.get("x-forwarded-for", ""), self._settings.gateway_proxies)


def _unknown() -> ApiError:
    told = "it is not known that Kafka has it: send it again with the same request_id"
    return refusal(503, told, retry_after_s=RETRY_S)


def _page(html: str, status: int) -> Response:
    later = {429: {"Retry-After": str(int(WINDOW_S))}, 503: {"Retry-After": str(RETRY_S)}}.get(status, {})
    return HTMLResponse(html, status, {**HEADERS, **later})
