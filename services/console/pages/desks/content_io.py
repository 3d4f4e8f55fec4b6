"""The page on which a text is scanned before it is published. Nothing of it is kept, nor told to anybody."""

import asyncio
from dataclasses import dataclass, field
from hmac import compare_digest
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import UploadFile

from schemas.base import Bilingual
from services.console.pages.desks.content import (
    KINDS,
    MAX_TEXT,
    READABLE,
    UnreadableError,
    material_of,
    pieces,
    text_of,
)
from services.console.pages.frame.frame_io import Frame, PageError
from services.console.pages.frame.visitor_io import Visiting, Visitor
from services.console.state.feed_io import Feed
from services.scanning.fingerprints import fingerprint

_BLANK: dict[str, str] = {"body": "", "share": "", "font": "", "reviewers": ""}
_TOO_LONG = Bilingual(
    en=f"The text is longer than {MAX_TEXT:,} characters: scan it in parts.",
    zh=f"文本超过 {MAX_TEXT:,} 个字符，请分段扫描。",
)
_NO_FIGURES = Bilingual(
    en="A figure is out of its range: the share is 0 to 100, the type 0 to 100 times, reviewers 0 to 50.",
    zh="数值超出范围：占比为 0 至 100，字号倍数为 0 至 100，审核人数为 0 至 50。",
)


@dataclass(frozen=True)
class _Sent:
    """The form as it came; wrong: why its file cannot be scanned."""

    fields: dict[str, str] = field(default_factory=lambda: dict(_BLANK))
    wrong: Bilingual | None = None


def content_routes(frame: Frame, feed: Feed, visiting: Visiting) -> APIRouter:
    """Its routes."""
    router = APIRouter(include_in_schema=False)

    def page(visitor: Visitor, sent: _Sent, status: int = 200, **view: Any) -> Response:
        told = {"fields": sent.fields, "wrong": sent.wrong, "report": None, "files": ",".join(READABLE), **view}
        return frame.page(visitor, "content.html", status=status, policy=feed.policy.label, kinds=KINDS, **told)

    @router.get("/content")
    async def ask(visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        return page(visitor, _Sent())

    @router.post("/content")
    async def scan(request: Request, visitor: Annotated[Visitor, Depends(visiting)]) -> Response:
        sent = await _read(request, visitor)
        policy, body = feed.policy, sent.fields["body"]
        if policy.scanner is None:
            raise PageError(503, "No policy is in force yet.", "尚无生效的策略。")
        if len(body) > MAX_TEXT:
            return page(visitor, _Sent(sent.fields, _TOO_LONG), 422)
        if sent.wrong is not None or not body.strip():
            return page(visitor, sent, 422 if sent.wrong else 200)
        try:
            material = material_of(body, sent.fields)
        except ValueError:
            return page(visitor, _Sent(sent.fields, _NO_FIGURES), 422)
        report = policy.scanner.scan(material, policy.figures)
        return page(
            visitor, sent, report=report, pieces=pieces(body, report.findings), fingerprint=fingerprint(material.body)
        )

    return router


async def _read(request: Request, visitor: Visitor) -> _Sent:
    """The form, with the text of its file in place of the field's. Raises PageError for one that is not ours."""
    async with request.form(max_files=1, max_fields=10) as form:
        if not compare_digest(str(form.get("csrf", "")).encode(), visitor.csrf.encode()):
            raise PageError(403, "This form is no longer valid: open the page anew.", "表单已失效，请重新打开页面。")
        fields = {name: value for name in _BLANK if isinstance(value := form.get(name, ""), str)}
        fields["body"] = fields["body"].replace("\r\n", "\n").replace("\x00", "")
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            return _Sent(fields)
        try:
            return _Sent(fields | {"body": await asyncio.to_thread(text_of, file.filename, await file.read())})
        except UnreadableError as error:
            return _Sent(fields, error.told)
