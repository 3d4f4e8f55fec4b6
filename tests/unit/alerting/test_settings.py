"""Alerting's settings: all problems at once, and no secret in any of them."""

from pathlib import Path
from typing import Literal, cast

import pytest

from services.alerting import app
from services.alerting.receivers.webhook import Webhook
from services.alerting.sending.deliverer_io import Deliverer
from services.alerting.settings import AlertingSettings
from services.runtime.health import Health
from services.runtime.machines.companion_io import Companions
from services.runtime.machines.machine import Companion
from services.runtime.settings import SettingsError, parse
from tests.unit.alerting.sending.test_signing import NEW_SECRET, SECRET

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


def test_two_secrets_stand_in_a_file_while_one_takes_the_place_of_the_other(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{NEW_SECRET}\n{SECRET}\n")
    settings = parse(
        AlertingSettings, {URL: "https://example.org/hook", f"{SECRET_NAME}_FILE": str(tmp_path / "secret")}
    )
    (receiver,) = settings.receivers().values()
    assert isinstance(receiver, Webhook)
    assert receiver.secret.get_secret_value().split() == [NEW_SECRET, SECRET]


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


def test_the_watchdog_is_patient_enough_not_to_bark_at_a_restart() -> None:
    limits = AlertingSettings().watch_limits()
    assert limits.dead_s > 10 < limits.stalled_s, "a session timeout"
    with pytest.raises(SettingsError) as caught:
        parse(AlertingSettings, {f"TIDEGATE_ALERTING_WATCH_{name}_AFTER": "5s" for name in ("DEAD", "STALLED")})
    assert [name for name, _ in caught.value.problems] == [
        "TIDEGATE_ALERTING_WATCH_DEAD_AFTER",
        "TIDEGATE_ALERTING_WATCH_STALLED_AFTER",
    ]


def test_nobody_watches_while_history_is_replayed() -> None:
    def beside(clock: Literal["wall", "events"]) -> Companion:
        return app.beside(AlertingSettings(clock=clock), deliverer, Health())

    deliverer = cast(Deliverer, object())

    def working(clock: Literal["wall", "events"]) -> set[str]:
        companions = beside(clock)
        assert isinstance(companions, Companions)
        return {type(each).__name__ for each in companions._companions}

    assert working("wall") - working("events") == {"Watchdog"}
