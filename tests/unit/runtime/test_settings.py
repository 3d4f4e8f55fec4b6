import json
from pathlib import Path
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Json, SecretStr, ValidationError

from services.runtime.settings import CommonSettings, Port, SettingsError, load, parse
from tests.certificates import self_signed


class GateSettings(CommonSettings):
    own_prefix: ClassVar[str] = "gateway_"

    gateway_port: Port = 8080
    gateway_key: SecretStr
    gateway_extra_key: SecretStr | None = None
    gateway_tokens: Json[dict[str, SecretStr]] | None = None


KEY = {"TIDEGATE_GATEWAY_KEY": "sesame"}


def problems(environ: dict[str, str], cls: type[CommonSettings] = GateSettings) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        parse(cls, environ)
    return dict(caught.value.problems)


def test_the_defaults_serve_one_machine() -> None:
    settings = parse(CommonSettings, {})
    assert settings.kafka == "127.0.0.1:9092"
    assert (settings.prefix, settings.partitions, settings.replication) == ("", 2, 1)
    assert (settings.clock, settings.http_host, settings.instance) == ("wall", "127.0.0.1", "0")


def test_values_come_typed_from_the_environment() -> None:
    settings = parse(
        GateSettings,
        KEY | {"TIDEGATE_GATEWAY_PORT": "0", "TIDEGATE_KAFKA": "a:1, [::1]:2", "TIDEGATE_CLOCK": "Events", "HOME": "/"},
    )
    assert (settings.gateway_port, settings.kafka, settings.clock) == (0, "a:1,[::1]:2", "events")
    assert settings.gateway_key.get_secret_value() == "sesame"


def test_an_empty_variable_is_not_set() -> None:
    assert parse(CommonSettings, {"TIDEGATE_PARTITIONS": ""}).partitions == 2


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        parse(CommonSettings, {}).partitions = 3  # type: ignore[misc]


def test_every_problem_is_named_at_once_without_values() -> None:
    found = problems(
        {
            "TIDEGATE_KAFKA": "nowhere",
            "TIDEGATE_PARTITIONS": "many",
            "TIDEGATE_CLOCK": "sundial",
            "TIDEGATE_PREFIX": "a b",
            "TIDEGATE_GATEWAY_PORT": "70000",
            "TIDEGATE_PARTITONS": "3",
            "TIDEGATE_KAFKA_SASL_PASSWORD": "hunter2",
        }
    )
    assert found == {
        "TIDEGATE_CLOCK": "Input should be 'wall' or 'events'",
        "TIDEGATE_GATEWAY_KEY": "is required, or TIDEGATE_GATEWAY_KEY_FILE",
        "TIDEGATE_GATEWAY_PORT": "Input should be less than or equal to 65535",
        "TIDEGATE_KAFKA": "must be host:port, or several of them with commas between",
        "TIDEGATE_KAFKA_SASL_PASSWORD": "has no use without TIDEGATE_KAFKA_SASL_MECHANISM",
        "TIDEGATE_PARTITIONS": "Input should be a valid integer, unable to parse string as an integer",
        "TIDEGATE_PARTITONS": "no setting is called that; did you mean TIDEGATE_PARTITIONS?",
        "TIDEGATE_PREFIX": "String should match pattern '^[A-Za-z0-9._-]*$'",
    }
    assert "hunter2" not in str(found)


def test_load_prints_all_problems_and_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        load(GateSettings, {"TIDEGATE_CLOCK": "sundial"})
    assert caught.value.code == 2
    assert capsys.readouterr().err == (
        "bad settings:\n"
        "  TIDEGATE_CLOCK: Input should be 'wall' or 'events'\n"
        "  TIDEGATE_GATEWAY_KEY: is required, or TIDEGATE_GATEWAY_KEY_FILE\n"
    )


def test_another_services_names_are_left_to_it_but_not_ones_own() -> None:
    environ = KEY | {"TIDEGATE_CONSOLE_PORT": "8081", "TIDEGATE_INGEST_ANYTHING": "x"}
    assert parse(GateSettings, environ).gateway_port == 8080
    assert problems(KEY | {"TIDEGATE_GATEWAY_PROT": "1"}) == {
        "TIDEGATE_GATEWAY_PROT": "no setting is called that; did you mean TIDEGATE_GATEWAY_PORT?"
    }
    assert problems(KEY | {"TIDEGATE_ZZZZZZZZZZ": "1"}) == {"TIDEGATE_ZZZZZZZZZZ": "no setting is called that"}


def test_a_service_must_say_its_prefix() -> None:
    with pytest.raises(TypeError, match="Forgetful"):

        class Forgetful(CommonSettings):
            ingest_port: Port = 0


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from the file\n")
    settings = parse(GateSettings, {"TIDEGATE_GATEWAY_KEY_FILE": str(tmp_path / "key")})
    assert settings.gateway_key.get_secret_value() == "from the file"
    assert "from the file" not in repr(settings)


def test_secrets_inside_json_come_from_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text(json.dumps({"bank": "t0"}))
    settings = parse(GateSettings, KEY | {"TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "tokens")})
    assert settings.gateway_tokens is not None
    assert settings.gateway_tokens["bank"].get_secret_value() == "t0"
    assert problems(KEY | {"TIDEGATE_GATEWAY_TOKENS": '{"bank": 5}'}) == {
        "TIDEGATE_GATEWAY_TOKENS": "bank: Input should be a valid string"
    }


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file or directory"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\xff\xfe", "is not UTF-8 text"),
        (b"x" * 70_000, "is larger than 65536 bytes"),
    ],
)
def test_a_bad_secret_file_is_named_once(tmp_path: Path, content: bytes | None, problem: str) -> None:
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    found = problems({"TIDEGATE_GATEWAY_KEY_FILE": str(path)})
    assert found == {"TIDEGATE_GATEWAY_KEY": f"the file that TIDEGATE_GATEWAY_KEY_FILE names {problem}"}


def test_a_secret_is_given_by_value_or_by_file_not_both(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("x")
    found = problems(KEY | {"TIDEGATE_GATEWAY_KEY_FILE": str(tmp_path / "key")})
    assert found == {
        "TIDEGATE_GATEWAY_KEY": "is given twice, by value and by TIDEGATE_GATEWAY_KEY_FILE; keep one",
    }


def test_what_is_no_secret_has_no_file() -> None:
    assert "TIDEGATE_PARTITIONS_FILE" in problems({"TIDEGATE_PARTITIONS_FILE": "x"}, CommonSettings)


def test_sasl_needs_all_three() -> None:
    found = problems({"TIDEGATE_KAFKA_SASL_MECHANISM": "PLAIN"}, CommonSettings)
    assert set(found) == {"TIDEGATE_KAFKA_SASL_USERNAME", "TIDEGATE_KAFKA_SASL_PASSWORD"}


def test_tls_files_need_tls_and_each_other(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("x")
    given = {"TIDEGATE_KAFKA_TLS_CERT_FILE": str(tmp_path / "pem")}
    assert set(problems(given, CommonSettings)) == {"TIDEGATE_KAFKA_TLS_CERT_FILE"}
    given["TIDEGATE_KAFKA_TLS"] = "true"
    assert set(problems(given, CommonSettings)) == {"TIDEGATE_KAFKA_TLS_KEY_FILE"}
    given["TIDEGATE_KAFKA_TLS_KEY_FILE"] = str(tmp_path / "absent")
    assert problems(given, CommonSettings) == {"TIDEGATE_KAFKA_TLS_KEY_FILE": "Path does not point to a file"}


def test_tls_files_are_read_at_the_start(tmp_path: Path) -> None:
    certificate, key = self_signed("127.0.0.1")
    (tmp_path / "cert").write_bytes(certificate)
    (tmp_path / "key").write_bytes(key)
    (tmp_path / "junk").write_text("junk")
    given = {
        "TIDEGATE_KAFKA_TLS": "true",
        "TIDEGATE_KAFKA_TLS_CA_FILE": str(tmp_path / "cert"),
        "TIDEGATE_KAFKA_TLS_CERT_FILE": str(tmp_path / "cert"),
        "TIDEGATE_KAFKA_TLS_KEY_FILE": str(tmp_path / "key"),
    }
    assert parse(CommonSettings, given).kafka_tls
    junk = str(tmp_path / "junk")
    assert problems(given | {"TIDEGATE_KAFKA_TLS_CA_FILE": junk}, CommonSettings) == {
        "TIDEGATE_KAFKA_TLS_CA_FILE": "the file holds no certificate in PEM form"
    }
    assert set(problems(given | {"TIDEGATE_KAFKA_TLS_KEY_FILE": junk}, CommonSettings)) == {
        "TIDEGATE_KAFKA_TLS_CERT_FILE"
    }


def test_a_name_that_no_file_can_have_is_a_problem_like_any_other() -> None:
    given = {"TIDEGATE_KAFKA_TLS": "true", "TIDEGATE_KAFKA_TLS_CA_FILE": "x" * 5000}
    assert problems(given, CommonSettings) == {"TIDEGATE_KAFKA_TLS_CA_FILE": "Path does not point to a file"}


@given(st.dictionaries(st.sampled_from(sorted(CommonSettings.model_fields)), st.text(), max_size=6))
def test_no_environment_gets_past_as_anything_but_settings_or_named_problems(texts: dict[str, str]) -> None:
    environ = {f"TIDEGATE_{field.upper()}": text for field, text in texts.items()}
    try:
        parse(CommonSettings, environ)
    except SettingsError as error:
        assert {name for name, _ in error.problems} <= {f"TIDEGATE_{f.upper()}" for f in CommonSettings.model_fields}
