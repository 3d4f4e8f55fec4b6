"""The gateway's settings, its token file included, are checked at start, all at once."""

from hashlib import sha256
from pathlib import Path

import pytest

from services.gateway.settings import GatewaySettings
from services.runtime.settings import SettingsError, parse

HASH = sha256(b"t").hexdigest()
GOOD = f"- {{name: ads, sha256: {HASH}, channels: [douyin], types: '*'}}\n"


def problems(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        parse(GatewaySettings, environ)
    return dict(caught.value.problems)


def test_the_file_becomes_the_senders(tmp_path: Path) -> None:
    (tmp_path / "tokens.yml").write_text(GOOD)
    settings = parse(GatewaySettings, {"TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "tokens.yml")})
    found = settings.gateway_tokens_file.owner_of(b"t")
    assert found is not None
    assert (found.name, sorted(found.channels), sorted(found.types)) == ("ads", ["douyin"], ["*"])


def test_a_missing_file_is_named_with_all_else(tmp_path: Path) -> None:
    found = problems({"TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "none"), "TIDEGATE_GATEWAY_PORT": "99999"})
    assert found["TIDEGATE_GATEWAY_TOKENS_FILE"] == "cannot be read: No such file or directory"
    assert "TIDEGATE_GATEWAY_PORT" in found


def test_a_setting_without_a_file_is_required() -> None:
    assert problems({})["TIDEGATE_GATEWAY_TOKENS_FILE"] == "is required"


@pytest.mark.parametrize(
    ("rights", "problem"),
    [
        ("channels: '*'", "types: is required"),
        ("channels: douyin, types: '*'", 'channels: is neither a list nor "*"'),
        ("channels: [5], types: '*'", "channels.0: Input should be a valid string"),
        ("channels: '*', types: [klick]", "types.0: is no event type"),
        ("channels: '*', types: '*', typs: '*'", "typs: Extra inputs are not permitted"),
    ],
)
def test_a_right_with_a_mistake_is_refused(tmp_path: Path, rights: str, problem: str) -> None:
    (tmp_path / "tokens.yml").write_text(f"- {{name: ads, sha256: {HASH}, {rights}}}\n")
    found = problems({"TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "tokens.yml")})["TIDEGATE_GATEWAY_TOKENS_FILE"]
    assert problem in found
    assert HASH not in found


def test_the_bound_on_all_leaves_room_for_one(tmp_path: Path) -> None:
    (tmp_path / "tokens.yml").write_text(GOOD)
    environ = {
        "TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "tokens.yml"),
        "TIDEGATE_GATEWAY_IN_WORK_BYTES": str(8 * 1024 * 1024),
    }
    assert "TIDEGATE_GATEWAY_MAX_UNPACKED_BYTES" in problems(environ)["TIDEGATE_GATEWAY_IN_WORK_BYTES"]


DOOR = {
    "TIDEGATE_GATEWAY_DOOR_KEY": "k" * 32,
    "TIDEGATE_GATEWAY_DOOR_INSTITUTION": '{"name": {"en": "Demo Bank", "zh": "演示银行"}, "languages": ["en"]}',
    "TIDEGATE_GATEWAY_PROXIES": '["10.0.0.0/8"]',
}


def test_the_door_is_closed_unless_it_has_a_key(tmp_path: Path) -> None:
    (tmp_path / "tokens.yml").write_text(GOOD)
    environ = {"TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "tokens.yml")}
    assert parse(GatewaySettings, environ).door_key is None
    settings = parse(GatewaySettings, environ | DOOR)
    assert settings.door_key == b"k" * 32
    assert settings.gateway_door_institution is not None
    assert settings.gateway_door_institution.languages == ["en"]
    assert [str(network) for network in settings.gateway_proxies] == ["10.0.0.0/8"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIDEGATE_GATEWAY_DOOR_KEY", "short"),
        ("TIDEGATE_GATEWAY_DOOR_INSTITUTION", ""),
        ("TIDEGATE_GATEWAY_DOOR_INSTITUTION", '{"name": "Demo Bank"}'),
        ("TIDEGATE_GATEWAY_PROXIES", '["10.0.0.1/8"]'),
        ("TIDEGATE_GATEWAY_PROXIES", "10.0.0.0/8"),
    ],
)
def test_what_the_door_cannot_be_told(name: str, value: str) -> None:
    assert name in problems(DOOR | {name: value})
