"""A policy document is read whole or not at all, and whatever is wrong with it is told with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.alerting import AlertingPolicy
from schemas.policy import Policy
from services.indicators.registry import all_rules, one_of_each
from services.policies.reading import PolicyError, parse_policy, read_policy
from services.policies.text import text_of

ROOT = Path(__file__).parents[3]
NAMES = [rule.id for rule in one_of_each(all_rules())]


def flaws(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.yaml")
    return str(caught.value).splitlines()


def test_the_default_document_is_valid() -> None:
    assert read_policy(ROOT / "deploy/policy.yaml").label == "default/1"


def test_the_default_document_says_of_telling_what_holds_without_it() -> None:
    assert read_policy(ROOT / "deploy/policy.yaml").alerting == AlertingPolicy()


def test_the_example_of_the_page_on_telling_is_valid() -> None:
    page = (ROOT / "docs/alerting.md").read_text("utf-8")
    example = page.partition("```yaml\n")[2].partition("```")[0]
    assert len(parse_policy(f"version: 1\n{example}", "docs/alerting.md").alerting.routes) == 2


def test_everything_that_is_wrong_is_told_at_once_with_its_line() -> None:
    text = """\
version: 1
time_zone: Mars
max_silence: 2
tresholds: {}
indicators:
  complaint_volume:
    maturity: automatic
    thresholds:
      complaints: many
  complaint_rate:
    maturity: {throttle: approve, pause: maybe}
    clear:
      below: 1.5
  click_fraud:
    thresholds:
      clicks: many
      accounts: 3
    overrides:
      channel:douyin: {maturity: auto}
  click_frod: {}
"""
    assert flaws(text) == [
        "p.yaml:2: time_zone: is not a time zone such as Asia/Shanghai",
        "p.yaml:3: max_silence: is not a duration such as 30s, 15m, 2h or 7d",
        "p.yaml:4: tresholds: is not known; is it misspelt, or in the wrong place?",
        "p.yaml:7: indicators.complaint_volume.maturity: is one of shadow, notify, approve, auto, or a mapping from "
        "actions to these",
        "p.yaml:11: indicators.complaint_rate.maturity: is one of shadow, notify, approve, auto, or a mapping from "
        "actions to these",
        "p.yaml:13: indicators.complaint_rate.clear.below: Input should be less than or equal to 1",
        "p.yaml:16: indicators.click_fraud.thresholds.clicks: Input should be a valid integer",
        "p.yaml:17: indicators.click_fraud.thresholds.accounts: is not known; is it misspelt, or in the wrong place?",
        "p.yaml:19: indicators.click_fraud.overrides.channel:douyin: click_fraud judges each actor by itself: "
        "write actor:<id>",
        f"p.yaml:20: indicators.click_frod: no indicator is called so; there are {', '.join(NAMES)}",
    ]


def test_what_is_missing_has_the_line_of_what_it_belongs_to() -> None:
    text = "name: x\ndirectory:\n  channels:\n    douyin:\n      owner: li.wei\n"
    assert flaws(text) == ["p.yaml:1: version: is required", "p.yaml:4: directory.channels.douyin.name: is required"]


def test_a_key_that_is_given_twice_is_an_error() -> None:
    text = "version: 1\nindicators:\n  click_fraud: {}\n  click_fraud:\n    enabled: false\n"
    assert flaws(text) == ["p.yaml:4: indicators.click_fraud: is given twice, first in line 3"]


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("", "p.yaml:1: document: Input should be"),
        ("[1, 2]", "p.yaml:1: document: Input should be"),
        ("version: 1\nname: [", "p.yaml:2: document: is not YAML: "),
        ("version: 1\nname: !!python/name:os.system", "p.yaml:2: document: is not YAML: could not determine"),
        ("version: 1\nname: &a [*a]", "p.yaml:2: name: "),
        ("version: 1\nname: a/b", "p.yaml:2: name: has no slash"),
        ("version: 010", "p.yaml:1: version: Input should be a valid integer"),
        ("version: true", "p.yaml:1: version: Input should be a valid integer"),
        ("version: 1\n? [a]\n: 1", "p.yaml:2: document: is not YAML: found unhashable key"),
        ("version: 1\nname: !!bool x", "p.yaml:1: document: is not YAML: a tag does not fit"),
        ("version: 1\nname: !!timestamp x", "p.yaml:1: document: is not YAML: a tag does not fit"),
        (f"version: !!float 1{':1' * 200}", "p.yaml:1: document: is not YAML: a tag does not fit"),
        ("version: !!int ''", "p.yaml:1: document: is not YAML: a tag does not fit"),
        ("{" * 2000, "p.yaml:1: document: is not YAML: "),
    ],
)
def test_what_is_no_policy_is_refused(text: str, start: str) -> None:
    found = flaws(text)
    assert len(found) == 1
    assert found[0].startswith(start)


def test_words_are_what_people_mean_by_them() -> None:
    policy = parse_policy(
        "version: 2\nname: no\ndirectory:\n  channels:\n    on: {name: {en: 18:00, zh: 2026-10-01}}", "p"
    )
    assert (policy.name, policy.version) == ("no", 2)
    assert policy.directory.channels["on"].name.model_dump() == {"en": "18:00", "zh": "2026-10-01"}


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin").write_bytes(b"name: \xff")
    for name, problem in (("none", "No such file"), ("latin", "is not UTF-8 text")):
        with pytest.raises(PolicyError, match=f"{name}: {problem}"):
            read_policy(tmp_path / name)


@pytest.mark.parametrize(
    "word", ["88E01", "1e5", "no", "18:00", "2026-10-01", "0o7", "~", "1_000", "=", "<<", ".5", "x"]
)
def test_a_policy_that_is_written_out_reads_as_itself(word: str) -> None:
    policy = parse_policy(
        f"version: 2\nname: '{word}'\ndirectory: {{products: {{'{word}': {{name: {{en: A, zh: B}}}}}}}}", "p"
    )
    assert parse_policy(text_of(policy), "again") == policy


@given(st.text() | st.text(alphabet="version: 1\n{}[]&*a!-#'\"|>?"))
def test_any_text_is_a_policy_or_is_refused(text: str) -> None:
    try:
        assert isinstance(parse_policy(text, "p"), Policy)
    except PolicyError as error:
        assert str(error).startswith("p:")


def test_aliases_of_aliases_are_refused_before_they_are_written_out() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    assert flaws("\n".join(lines)) == [
        "p.yaml:1: document: is not YAML: its aliases stand for more parts than any policy has"
    ]
