"""From what somebody fills in, or an app sends, to the event of a complaint. Pure.

What is personal (the text, the contact, the address) goes into the event and nowhere else.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final
from urllib.parse import parse_qsl

from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Bilingual, HexId, Name, Text
from schemas.directory import Directory
from schemas.events import ComplaintOpened, Segment
from services.gateway.door import words
from services.runtime.ids import derive

MAX_TEXT: Final = 4_000
MAX_CONTACT: Final = 200
MAX_FIELDS: Final = 20
FIELDS: Final = ("note", "lang", "channel", "product", "text", "contact", "website")
"""Those of the form. `website` is for programs: no person sees it."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without I, L, O and U, which are misread or spell words."""
_GROUPS, _SIZE = 3, 4
_BITS: Final = 5


class NewComplaint(BaseModel):
    """A complaint that an app hands on for its customer."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", use_attribute_docstrings=True)

    channel_id: Name
    product_id: Name | None = None
    segment: Segment | None = None
    account_id: Name | None = None
    ip: Name | None = None
    """The customer's address, not the app's own."""
    text: Text | None = None
    contact: Name | None = None
    request_id: HexId | None = None
    """The same complaint sent again has the same: then it is one, with the same number."""


class Received(BaseModel):
    """The complaint is on the broker's disk."""

    complaint_id: Annotated[str, Field(description="The number that the customer is told.")]
    answer_by: Annotated[datetime, Field(description="By the policy in force.")]


@dataclass(frozen=True, slots=True)
class Filled:
    """The form as it came back."""

    note: str = ""
    lang: str = ""
    channel: str = ""
    product: str = ""
    text: str = ""
    contact: str = ""
    website: str = ""


def filled(body: bytes) -> Filled:
    """Reads a form; of a field that is there twice the last counts. Raises ValueError for what is no form."""
    pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
    given = {name: value for name, value in pairs if name in FIELDS}
    return Filled(**given)


def problems_of(form: Filled, directory: Directory) -> dict[str, Bilingual]:
    """What the customer has to mend, by field."""
    return dict(_problems(form, directory))


def _problems(form: Filled, directory: Directory) -> Iterator[tuple[str, Bilingual]]:
    if form.channel and form.channel not in directory.channels:
        yield "channel", words.CHANNEL_UNKNOWN
    if form.product and form.product not in directory.products:
        yield "product", words.PRODUCT_UNKNOWN
    text = _plain(form.text)
    if not text:
        yield "text", words.TEXT_MISSING
    elif len(text) > MAX_TEXT:
        yield "text", words.text_too_long(len(text), MAX_TEXT)
    contact = _plain(form.contact)
    if len(contact) > MAX_CONTACT or not contact.isprintable():
        yield "contact", words.CONTACT_TOO_LONG
    if form.website:
        yield "website", words.WEBSITE_FILLED


def number(*parts: str) -> str:
    """What a complaint is called: `K7F3-9QXA-22MB`, the same for the same parts. 60 bits, so nobody guesses one."""
    bits = int(derive("complaint", *parts), 16)
    signs = [_ALPHABET[bits >> _BITS * place & 31] for place in range(_GROUPS * _SIZE)]
    return "-".join("".join(signs[at : at + _SIZE]) for at in range(0, len(signs), _SIZE))


def number_of(form: Filled, nonce: str) -> str:
    """The same form with the same words is the same complaint, however often the button was pressed."""
    return number("form", nonce, form.channel, form.product, _plain(form.text), _plain(form.contact))


def event_of_form(form: Filled, complaint_id: str, ip: str | None, elsewhere: str, now: datetime) -> ComplaintOpened:
    """The event of a form without problems. `elsewhere`: the channel of those who name none."""
    return _event(
        complaint_id,
        now,
        channel_id=form.channel or elsewhere,
        product_id=form.product or None,
        ip=ip,
        text=_plain(form.text),
        contact=_plain(form.contact) or None,
    )


def event_of(given: NewComplaint, complaint_id: str, now: datetime) -> ComplaintOpened:
    """The event of what an app sends."""
    return _event(complaint_id, now, **given.model_dump(exclude={"request_id"}))


def _event(complaint_id: str, now: datetime, **said: str | None) -> ComplaintOpened:
    fields = {"event_id": f"door:{complaint_id}", "complaint_id": complaint_id, "occurred_at": now, **said}
    return ComplaintOpened.model_validate({"type": "complaint_opened", "entry": "one_click", **fields})


def _plain(text: str) -> str:
    """Browsers send lines that end with CR LF; NUL and lone surrogates have no place in an event."""
    return text.replace("\r\n", "\n").replace("\x00", "").strip()
