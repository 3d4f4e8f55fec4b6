"""While the secret of the generic platform changes, whoever knows the new one or the old one believes our requests."""

import base64
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from schemas.channels import WantedState
from services.channel_control.adapter import Adapter
from services.channel_control.enforcing.platform_list import platforms_of
from services.channel_control.settings import ControlSettings
from services.runtime.http.outgoing import Request
from services.runtime.settings import parse

NEW, OLD, OTHER = ("whsec_" + base64.b64encode(each * 32).decode() for each in (b"n", b"o", b"x"))
WANTED = WantedState(target="channel:search", status="paused", factor=0.0, generation=3)


def _default(environ: dict[str, str]) -> Adapter:
    settings = parse(ControlSettings, {"TIDEGATE_CONTROL_PLATFORM_URL": "https://ads.example"} | environ)
    return platforms_of(settings, {}, lambda: datetime.now(UTC))["default"]


def _listed(file: Path) -> Adapter:
    text = "platforms:\n  a: {kind: generic, url: https://ads.example, secret: env:SECRETS}"
    file.write_text(text, encoding="utf-8")
    settings = parse(ControlSettings, {"TIDEGATE_CONTROL_PLATFORMS": str(file)})
    return platforms_of(settings, {"SECRETS": f"{NEW} {OLD}"}, lambda: datetime.now(UTC))["a"]


def test_orders_and_readings_are_signed_with_both(tmp_path: Path) -> None:
    (tmp_path / "secrets").write_text(f"{NEW}\n{OLD}\n", encoding="utf-8")
    from_file = _default({"TIDEGATE_CONTROL_PLATFORM_SECRET_FILE": str(tmp_path / "secrets")})
    for adapter in (from_file, _listed(tmp_path / "platforms.yaml")):
        order, reading = next(adapter.apply(WANTED, (), "key")), next(adapter.read(WANTED.target, ()))
        assert isinstance(order, Request)
        assert isinstance(reading, Request)
        for request, text in ((order, order.body), (reading, b"/v1/targets/channel%3Asearch")):
            headers = {name.lower(): value for name, value in request.headers.items()}
            for secret in (NEW, OLD):
                Webhook(secret).verify(text, headers, json_parse=False)
            with pytest.raises(WebhookVerificationError):
                Webhook(OTHER).verify(text, headers, json_parse=False)
