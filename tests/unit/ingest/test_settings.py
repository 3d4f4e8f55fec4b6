import pytest

from services.ingest.settings import IngestSettings
from services.ingest.sources.quarantine import BadLimit
from services.runtime.settings import SettingsError, parse

GOOD = {
    "TIDEGATE_INGEST_PSEUDONYM_KEY": "k" * 32,
    "TIDEGATE_INGEST_DEAD_LETTER_KEY": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
}


def test_the_defaults_are_those_of_the_design() -> None:
    settings = parse(IngestSettings, GOOD)
    assert settings.ingest_pause_ms == 20
    assert settings.ingest_ack_s == 60
    assert settings.bad_limit() == BadLimit()


def test_all_problems_are_named_at_once_and_no_secret_is_quoted() -> None:
    bad = {
        "TIDEGATE_INGEST_PSEUDONYM_KEY": "swordfish",
        "TIDEGATE_INGEST_DEAD_LETTER_KEY": "sesame",
        "TIDEGATE_INGEST_BAD_SHARE": "1.5",
        "TIDEGATE_INGEST_PAUSE": "20",
    }
    with pytest.raises(SettingsError) as caught:
        parse(IngestSettings, bad)
    problems = dict(caught.value.problems)
    assert set(problems) == set(bad)
    assert "16 to 64 bytes" in problems["TIDEGATE_INGEST_PSEUDONYM_KEY"]
    assert "32 bytes in URL-safe base64" in problems["TIDEGATE_INGEST_DEAD_LETTER_KEY"]
    assert "swordfish" not in str(caught.value)
    assert "sesame" not in str(caught.value)


def test_the_keys_are_required() -> None:
    with pytest.raises(SettingsError) as caught:
        parse(IngestSettings, {})
    assert [name for name, _ in caught.value.problems] == sorted(GOOD)
