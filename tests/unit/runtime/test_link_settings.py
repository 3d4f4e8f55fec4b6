"""Who is told the console's address needs the key as well."""

import pytest

from services.runtime.link_settings import LinkSettings
from services.runtime.settings import SettingsError, parse

URL, KEY = "TIDEGATE_CONSOLE_URL", "TIDEGATE_CONSOLE_LINK_KEY"


def test_both_or_none() -> None:
    assert parse(LinkSettings, {}).link_key is None
    settings = parse(LinkSettings, {URL: "https://tidegate.example/", KEY: "hidden" * 6})
    assert settings.console_url == "https://tidegate.example"
    assert settings.link_key == b"hidden" * 6
    assert "hidden" not in repr(settings)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({URL: "https://tidegate.example"}, [KEY]),
        ({URL: "tidegate.example", KEY: "hidden"}, [KEY, URL]),
        ({URL: "https://tidegate.example/?a=b", KEY: "hidden" * 6}, [URL]),
        ({URL: "https://who:hidden@tidegate.example", KEY: "hidden" * 6}, [URL]),
        ({URL: "https://tidegate.example/" + "x" * 600, KEY: "hidden" * 6}, [URL]),
    ],
)
def test_problems_are_named_and_values_are_not(environ: dict[str, str], named: list[str]) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(LinkSettings, environ)
    assert [name for name, _ in caught.value.problems] == named
    assert "hidden" not in str(caught.value)
