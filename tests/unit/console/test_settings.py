"""The console's settings, its token file included."""

from hashlib import sha256
from pathlib import Path

import pytest

from services.console.settings import ConsoleSettings
from services.runtime.settings import SettingsError, parse


def test_the_file_becomes_the_people(tmp_path: Path) -> None:
    file = tmp_path / "people.yml"
    file.write_text(f"- {{name: li.wei, role: operator, sha256: {sha256(b't').hexdigest()}}}\n")
    found = parse(ConsoleSettings, {"TIDEGATE_CONSOLE_TOKENS_FILE": str(file)}).console_tokens_file.owner_of(b"t")
    assert found is not None
    assert (found.role, found.issuer) == ("operator", "person:li.wei")


@pytest.mark.parametrize("role", ["Operator", "root", ""])
def test_an_unknown_role_is_refused(tmp_path: Path, role: str) -> None:
    file = tmp_path / "people.yml"
    file.write_text(f"- {{name: li.wei, role: '{role}', sha256: {sha256(b't').hexdigest()}}}\n")
    with pytest.raises(
        SettingsError,
        match=r"CONSOLE_TOKENS_FILE: .*0\.role: Input should be 'viewer', 'operator', 'approver' or 'admin'",
    ):
        parse(ConsoleSettings, {"TIDEGATE_CONSOLE_TOKENS_FILE": str(file)})


def test_the_raw_topics_are_read_under_a_user_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "people.yml"
    file.write_text(f"- {{name: li.wei, role: operator, sha256: {sha256(b't').hexdigest()}}}\n")
    given = {
        "TIDEGATE_CONSOLE_TOKENS_FILE": str(file),
        "TIDEGATE_KAFKA_SASL_MECHANISM": "PLAIN",
        "TIDEGATE_KAFKA_SASL_USERNAME": "console",
        "TIDEGATE_KAFKA_SASL_PASSWORD": "one",
    }
    own = {"TIDEGATE_CONSOLE_HISTORY_USERNAME": "history", "TIDEGATE_CONSOLE_HISTORY_PASSWORD": "other"}
    for more, user, password in (({}, "console", "one"), (own, "history", "other")):
        reading = parse(ConsoleSettings, given | more).for_history()
        assert reading.kafka_sasl_password is not None
        assert (reading.kafka_sasl_username, reading.kafka_sasl_password.get_secret_value()) == (user, password)
    with pytest.raises(
        SettingsError, match="CONSOLE_HISTORY_PASSWORD: and TIDEGATE_CONSOLE_HISTORY_USERNAME go together"
    ):
        parse(ConsoleSettings, given | {"TIDEGATE_CONSOLE_HISTORY_USERNAME": "history"})
