"""Alerting's settings: all problems at once, and no secret in any of them."""

from pathlib import Path

import pytest

from services.alerting.settings import AlertingSettings
from services.runtime.settings import SettingsError, parse
from tests.unit.alerting.test_signing import SECRET

URL, SECRET_NAME = "TIDEGATE_ALERTING_WEBHOOK_URL", "TIDEGATE_ALERTING_WEBHOOK_SECRET"


def test_a_target_with_its_secret_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    settings = parse(
        AlertingSettings, {URL: "https://example.org/hook", f"{SECRET_NAME}_FILE": str(tmp_path / "secret")}
    )
    assert settings.alerting_webhook_secret is not None
    assert settings.alerting_webhook_secret.get_secret_value() == SECRET
    assert SECRET not in repr(settings)
    assert "example.org" not in repr(settings)


def test_no_target_needs_nothing() -> None:
    settings = parse(AlertingSettings, {})
    assert settings.alerting_webhook_url is None
    assert settings.alerting_give_up_after.total_seconds() >= 86_400


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({URL: "https://example.org/hook"}, [SECRET_NAME]),
        ({URL: "ftp://hidden", SECRET_NAME: "whsec_hidden"}, [SECRET_NAME, URL]),
        ({URL: "http://hidden:99999/", SECRET_NAME: SECRET}, [URL]),
        ({URL: "http://[hidden/", SECRET_NAME: SECRET}, [URL]),
        ({"TIDEGATE_ALERTING_GIVE_UP_AFTER": "3"}, ["TIDEGATE_ALERTING_GIVE_UP_AFTER"]),
        ({"TIDEGATE_ALERTING_WEBHOOK_PARALLEL": "0"}, ["TIDEGATE_ALERTING_WEBHOOK_PARALLEL"]),
    ],
)
def test_problems_are_named_and_values_are_not(environ: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(AlertingSettings, environ)
    assert [name for name, _ in caught.value.problems] == named
    assert "hidden" not in str(caught.value)
