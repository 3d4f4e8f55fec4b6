"""The environment is checked at the start, and never quoted."""

from pathlib import Path

import pytest

from services.channel_control.settings import ControlSettings
from services.runtime.settings import SettingsError, parse


def test_without_anything_there_is_no_platform() -> None:
    settings = parse(ControlSettings, {})
    assert (settings.control_platform_url, settings.control_platform_token) == (None, None)


def test_the_token_may_be_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    environ = {
        "TIDEGATE_CONTROL_PLATFORM_URL": "https://ads.example/api/",
        "TIDEGATE_CONTROL_PLATFORM_TOKEN_FILE": str(tmp_path / "token"),
    }
    settings = parse(ControlSettings, environ)
    assert settings.control_platform_url == "https://ads.example/api"
    assert settings.control_platform_token is not None
    assert settings.control_platform_token.get_secret_value() == "s3cret"
    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    "url",
    ["ads.example", "ftp://ads.example", "http:///x", "http://user:pw@ads.example", "http://a:99999", "http://a?b=c"],
)
def test_an_address_that_is_none_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(ControlSettings, {"TIDEGATE_CONTROL_PLATFORM_URL": url})
    assert str(caught.value).startswith("TIDEGATE_CONTROL_PLATFORM_URL: must be")
    assert url not in str(caught.value)


def test_all_problems_are_named_at_once() -> None:
    environ = {
        "TIDEGATE_CONTROL_PLATFORM_TOKEN": "two words",
        "TIDEGATE_CONTROL_PLATFORM_DEADLINE": "-1",
        "TIDEGATE_CONTROL_PARALEL": "4",
    }
    with pytest.raises(SettingsError) as caught:
        parse(ControlSettings, environ)
    names = [name for name, _ in caught.value.problems]
    assert names == [
        "TIDEGATE_CONTROL_PARALEL",
        "TIDEGATE_CONTROL_PLATFORM_DEADLINE",
        "TIDEGATE_CONTROL_PLATFORM_TOKEN",
    ]
    assert "two words" not in str(caught.value)
