"""The reference library accepts what we sign, and a changed message it does not."""

import base64
import json
import time

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from services.alerting.sending.signing import headers
from services.alerting.telling import Due
from services.runtime.http.signing import check_secret, check_secrets
from tests.unit.alerting.facts import ALERTS

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
NEW_SECRET = "whsec_" + base64.b64encode(b"fedcba9876543210fedcba9876543210").decode()
DUE = Due(
    webhook_id="ab" * 16,
    alert_id=ALERTS[0],
    number=0,
    change="alert.opened",
    rank=(2, 1),
    decided_ms=0,
    body='{"title":"20 起投诉"}',
)


def test_the_reference_library_verifies_it() -> None:
    signed = headers(DUE, SECRET, time.time())
    assert signed["webhook-id"] == "msg_" + "ab" * 16
    assert Webhook(SECRET).verify(DUE.body.encode(), signed) == json.loads(DUE.body)


def test_an_attempt_days_later_has_a_time_of_its_own() -> None:
    first, later = headers(DUE, SECRET, time.time() - 86_400), headers(DUE, SECRET, time.time())
    assert first["webhook-id"] == later["webhook-id"]
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(DUE.body.encode(), first)
    Webhook(SECRET).verify(DUE.body.encode(), later)


@pytest.mark.parametrize("changed", ["body", "id", "secret"])
def test_what_was_changed_is_refused(changed: str) -> None:
    signed = headers(DUE, SECRET, time.time())
    body = DUE.body.replace("20", "21") if changed == "body" else DUE.body
    if changed == "id":
        signed["webhook-id"] = "msg_" + "cd" * 16
    secret = "whsec_" + base64.b64encode(b"f" * 32).decode() if changed == "secret" else SECRET
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body.encode(), signed)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64!", SECRET.removeprefix("whsec_")])
def test_a_secret_that_is_none_is_refused_unquoted(secret: str) -> None:
    with pytest.raises(ValueError, match=r"^must be whsec_ and 24 to 64 bytes in base64$"):
        check_secret(secret)


def test_a_good_secret_is_kept() -> None:
    assert check_secret(SECRET) == SECRET


@pytest.mark.parametrize("between", [" ", "\n", " \r\n"])
def test_while_a_secret_changes_either_one_verifies_it_and_no_third(between: str) -> None:
    signed = headers(DUE, check_secrets(f"{NEW_SECRET}{between}{SECRET}"), time.time())
    for secret in (NEW_SECRET, SECRET):
        assert Webhook(secret).verify(DUE.body.encode(), signed) == json.loads(DUE.body)
    third = "whsec_" + base64.b64encode(b"f" * 32).decode()
    with pytest.raises(WebhookVerificationError):
        Webhook(third).verify(DUE.body.encode(), signed)


@pytest.mark.parametrize("secrets", ["", " ", f"{SECRET} {SECRET} {SECRET}", f"{SECRET} hidden", f"hidden {SECRET}"])
def test_neither_of_two_may_be_bad_and_there_is_no_third(secrets: str) -> None:
    with pytest.raises(ValueError, match=r"^must be ") as caught:
        check_secrets(secrets)
    assert "hidden" not in str(caught.value)
    assert SECRET not in str(caught.value)
