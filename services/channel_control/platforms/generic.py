"""The generic platform: an HTTP protocol of ours, for whatever a bank puts in front of its own systems.

`PUT` and `GET /v1/targets/{target}` with a `WantedState`, as `schemas/json/platform-openapi.json` describes it. Where a
secret is set each request is signed after Standard Webhooks: a PUT's body, and the path of a GET, which has none.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, ClassVar
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, SecretStr, ValidationError

from schemas.channels import WantedState
from services.channel_control.adapter import Adapter, Exchange, Options, refusal
from services.channel_control.enforcing.headers import header_text
from services.channel_control.enforcing.reconcile import CONFLICT, Answer, Seen, Trouble
from services.runtime.http.outgoing import Request
from services.runtime.http.signing import check_secrets, signed
from services.runtime.http.urls import BaseUrl
from services.runtime.ids import derive
from services.runtime.references import Secret


def signing_secret(value: SecretStr) -> SecretStr:
    """The secret, or the two of them, if they can sign."""
    check_secrets(value.get_secret_value())
    return value


class GenericOptions(Options):
    """`url`: where `/v1/targets/…` begins. `token`: sent as bearer token. `secret`: signs each request; two
    while the first takes the second's place.
    """

    url: BaseUrl
    token: Annotated[Secret, AfterValidator(header_text)] | None = None
    secret: Annotated[Secret, AfterValidator(signing_secret)] | None = None


class Generic(Adapter):
    """The platform keeps target, status, factor and generation, and refuses an older generation with 409."""

    kind = "generic"
    options: ClassVar[type[Options]] = GenericOptions
    tried = True

    def __init__(self, options: Options, now: Callable[[], datetime]) -> None:
        assert isinstance(options, GenericOptions)  # noqa: S101 - of this class, as the registry has it
        self._options = options
        self.url = options.url
        self._now = now

    def apply(self, wanted: WantedState, campaigns: tuple[str, ...], key: str) -> Exchange[Trouble | None]:
        """Puts it. What the platform kept is read back in any case, so its answer to this says little."""
        text = wanted.model_dump_json()
        more = {"Content-Type": "application/json", "Idempotency-Key": key}
        headers = more | self._headers(f"msg_{key}", text)
        response = yield Request(self._url(wanted.target), headers, text.encode(), "PUT")
        if response.status == 409:
            return Trouble(
                CONFLICT, "the platform says that it has a newer generation (409)", zh="平台称已有更新的版本（409）"
            )
        return refusal(response)

    def read(self, target: str, campaigns: tuple[str, ...]) -> Exchange[Answer]:
        """Asks for it."""
        url = self._url(target)
        path = urlsplit(url).path
        headers = self._headers(f"msg_{derive(path, self._now().isoformat())}", path)
        response = yield Request(url, headers, method="GET")
        if response.status == 404:
            return Seen(None)
        if (refused := refusal(response)) is not None:
            return refused
        try:
            return Seen(WantedState.model_validate_json(response.body))
        except ValidationError:
            return Trouble("bad_answer", "the platform's answer is not a target's state", zh="平台的答复不是对象状态")

    def _url(self, target: str) -> str:
        return f"{self.url}/v1/targets/{quote(target, safe='')}"

    def _headers(self, message_id: str, text: str) -> dict[str, str]:
        token, secret = self._options.token, self._options.secret
        headers = {} if token is None else {"Authorization": f"Bearer {token.get_secret_value()}"}
        if secret is not None:
            headers |= signed(secret.get_secret_value(), message_id, text, self._now())
        return headers
