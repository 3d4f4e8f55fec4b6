"""The door's pages: plain HTML without scripts, nothing from elsewhere. Pure, but for the templates read at start."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from schemas.base import Bilingual
from schemas.directory import Label
from services.gateway.door.filing import Filled
from services.gateway.door.institution import Institution
from services.gateway.door.languages import Language
from services.gateway.door.promise import Promise, in_words

HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_TEMPLATES: Final = Path(__file__).with_name("templates")


class Pages:
    """What the door shows, in the name of one institution."""

    def __init__(self, institution: Institution) -> None:
        self.institution = institution
        self.style = (_TEMPLATES / "door.css").read_text("utf-8")
        self._templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            auto_reload=False,
        )

    def form(
        self,
        language: Language,
        form: Filled,
        promise: Promise,
        now: datetime,
        told: Bilingual | None = None,
        problems: Mapping[str, Bilingual] = MappingProxyType({}),
    ) -> str:
        """The form with what is in it; `told`: why it has not been sent; `problems`: what to mend, by field."""
        due = _due(promise.answer_by(now), promise)
        view = {"form": form, "told": told, "problems": problems, "directory": promise.directory, **due}
        return self._page("form.html", language, self._links(form), view)

    def received(self, language: Language, form: Filled, complaint_id: str, due: datetime, promise: Promise) -> str:
        """The number of a complaint, and by when it is answered."""
        view = {"complaint_id": complaint_id, "reachable": bool(form.contact.strip()), **_due(due, promise)}
        return self._page("received.html", language, self._links(Filled()), view)

    def sorry(self, language: Language, told: Bilingual) -> str:
        """One sentence, and the way back."""
        return self._page("sorry.html", language, self._links(Filled()), {"told": told})

    def _page(self, name: str, language: Language, links: Mapping[str, str], view: Mapping[str, Any]) -> str:
        def text(words: Bilingual | Label) -> str:
            return words.zh if language == "zh" else words.en

        def say(en: str, zh: str) -> str:
            return zh if language == "zh" else en

        given = {"institution": self.institution, "language": language, "links": links, "text": text, "say": say}
        return self._templates.get_template(name).render(**given, **view)

    def _links(self, form: Filled) -> dict[str, str]:
        return {each: _link(each, form) for each in self.institution.languages}


def _due(at: datetime, promise: Promise) -> dict[str, Any]:
    return {"answer_by": in_words(at, promise.zone), "answer_by_utc": at.isoformat()}


def _link(language: Language, form: Filled) -> str:
    """The form in a language. What was typed is in no address: those are logged along the way."""
    chosen = {"channel": form.channel, "product": form.product}
    return "/complaints?" + urlencode({"lang": language} | {name: value for name, value in chosen.items() if value})
