"""`tidegate scan` and `tidegate stress`, run as commands on files."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from schemas.policy import Policy
from schemas.policy_topic import PolicyTopic
from services.cli import __main__ as cli
from services.cli.policy import policy_io
from services.cli.scan.materials import MaterialError, materials_in
from services.scanning.fingerprints import fingerprint

PROMPTS = "投资有风险。历史业绩不代表未来表现。"


def event(content_id: str, body: str, **fields: object) -> str:
    known: dict[str, Any] = {
        "event_id": content_id,
        "type": "content_published",
        "occurred_at": "2026-11-23T09:00:00+08:00",
        "channel_id": "douyin",
        "content_id": content_id,
        "body": body,
        "reviewers": ["li", "zhao"],
    }
    return json.dumps(known | fields, ensure_ascii=False)


def tidegate(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["tidegate", *map(str, arguments)])
    return cli.main()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four materials, of which two would fail, in two files."""
    events = [
        event("clean", PROMPTS),
        event("promise", f"保 本，稳赚不赔，又保本。{PROMPTS}"),
        event("unreviewed", "", reviewers=["li", "li"], disclosure_share=0.1),
        json.dumps({"type": "click", "anything": 1}),
    ]
    (tmp_path / "events.jsonl").write_text("\n".join([*events, ""]), "utf-8")
    (tmp_path / "leaflet.txt").write_text(f"本产品不保本。\n{PROMPTS}", "utf-8")
    return tmp_path


def test_a_clean_text_is_0_and_a_violation_1(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tidegate(monkeypatch, "scan", folder / "leaflet.txt") == 0
    assert capsys.readouterr().out == f"under the built-in default:\n{folder / 'leaflet.txt'}: clean\n"
    assert tidegate(monkeypatch, "scan", folder) == 1
    out = capsys.readouterr().out
    assert "clean: clean\npromise: violation\n" in out
    assert "  phrase: 〔保 本〕，稳赚不赔，又保本。投资  →  〔非保本〕，稳赚不赔，又保本。投资\n" in out
    assert "  reviewers: Reviewed by 1 different people, at least 2 are required · " in out


def test_json_has_places_and_the_proposed_text(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"穩賺不賠\n{PROMPTS}"))
    assert tidegate(monkeypatch, "scan", "--json", "-") == 1
    (told,) = json.loads(capsys.readouterr().out)
    assert (told["name"], told["violated"], told["proposed"]) == ("standard input", True, f"有盈有亏\n{PROMPTS}")
    assert told["policy"] == "the built-in default"
    assert told["fingerprint"] == fingerprint(f"穩賺不賠{PROMPTS}")
    (finding,) = told["findings"]
    assert (finding["phrase"], finding["begin"], finding["end"]) == ("稳赚不赔", 0, 4)


def test_json_lines_are_known_on_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(event("c-1", PROMPTS) + "\n" + event("c-2", "保本")))
    assert tidegate(monkeypatch, "scan", "-") == 1
    verdicts = [line for line in capsys.readouterr().out.splitlines()[1:] if line[0] != " "]
    assert verdicts == ["c-1: clean", "c-2: violation"]


def test_another_policy_and_more_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.yaml").write_text("version: 4\ncontent: {phrases: [{text: 甲乙}], prompts: []}", "utf-8")
    (tmp_path / "words.csv").write_text("word,severity\n丙丁,block\n第一,high\n", "utf-8")
    (tmp_path / "a.txt").write_text("保本第一", "utf-8")
    (tmp_path / "b.txt").write_text("丙丁", "utf-8")
    with_policy = ["--policy", tmp_path / "policy.yaml"]
    with_words = [*with_policy, "--words", tmp_path / "words.csv"]
    assert tidegate(monkeypatch, "scan", tmp_path / "a.txt", *with_words) == 0
    out = capsys.readouterr().out
    assert out.startswith("under default/4:\n")
    assert "phrase (shadow): 保本〔第一〕\n" in out
    assert tidegate(monkeypatch, "scan", tmp_path / "b.txt", *with_policy) == 0
    assert tidegate(monkeypatch, "scan", tmp_path / "b.txt", *with_words) == 1


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[[PolicyTopic], None]:
    """Puts a policy topic in the place of the broker's."""

    def put(topic: PolicyTopic) -> None:
        async def read(_: object) -> PolicyTopic:
            return topic

        monkeypatch.setattr(policy_io, "_read", read)

    return put


@pytest.mark.parametrize(
    ("named", "under", "failed"), [("in-force", "default/3", 0), ("3", "default/3", 0), ("default/2", "default/2", 1)]
)
def test_the_policies_of_the_cluster(
    named: str,
    under: str,
    failed: int,
    cluster: Callable[[PolicyTopic], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "a.txt").write_text("甲乙", "utf-8")
    topic = PolicyTopic()
    topic.active = "default/3"
    for version, phrase in ((2, "甲乙"), (3, "丙丁")):
        content = {"phrases": [{"text": phrase}], "prompts": []}
        topic.documents[f"default/{version}"] = (
            Policy.model_validate({"version": version, "content": content}).model_dump_json().encode()
        )
    cluster(topic)
    assert tidegate(monkeypatch, "stress", tmp_path / "a.txt", "--json", "--policy", named) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["policy"], told["failed"]) == (under, failed)
    assert tidegate(monkeypatch, "scan", tmp_path / "a.txt", "--policy", named) == failed
    assert capsys.readouterr().out.startswith(f"under {under}:\n")


def test_a_policy_that_the_cluster_does_not_have_is_2(
    cluster: Callable[[PolicyTopic], None],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    cluster(PolicyTopic())
    for named, says in (("in-force", "no policy is in force"), ("7", "there is no default/7")):
        assert tidegate(monkeypatch, "stress", folder, "--policy", named) == 2
        assert capsys.readouterr() == ("", f"{says}\n")


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.jsonl", b'{"type": "content_published"}', "a.jsonl:1: event_id: is required"),
        ("a.jsonl", b"{", "a.jsonl:1: is not JSON"),
        ("a.jsonl", b"[]", "a.jsonl:1: line: is not a JSON object"),
        ("a.txt", "本".encode() * 20_001, "at most 20000 characters"),
        ("a.txt", b"\xff", "a.txt: is not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_is_2(
    name: str,
    content: bytes,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / name).write_bytes(content)
    for command in ("scan", "stress"):
        assert tidegate(monkeypatch, command, tmp_path / name) == 2
        assert says in capsys.readouterr().err
    assert tidegate(monkeypatch, "scan", tmp_path / "none") == 2
    assert tidegate(monkeypatch, "scan", tmp_path, "--policy", tmp_path / "none") == 2


def test_a_text_that_only_begins_like_json_is_a_text() -> None:
    (named,) = materials_in("-", "{保本}\n第二行")
    assert named.material.body == "{保本}\n第二行"
    with pytest.raises(MaterialError, match="-:2: is not JSON"):
        list(materials_in("-", event("a", "") + "\nx"))


def test_stress_says_which_share_would_fail_and_why(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tidegate(monkeypatch, "stress", folder, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "policy": "the built-in default",
        "materials": 4,
        "failed": 2,
        "share": 0.5,
        "kinds": {"disclosure_share": 1, "missing_prompt": 1, "phrase": 1, "reviewers": 1},
        "phrases": {"保本": 1, "稳赚不赔": 1},
        "shadow": {},
        "worst": [{"name": "unreviewed", "findings": 4}, {"name": "promise", "findings": 3}],
    }
    assert tidegate(monkeypatch, "stress", folder) == 0
    assert capsys.readouterr().out.splitlines()[:3] == [
        "2 of 4 materials would fail (50.0%) under the built-in default",
        "why:",
        "       1  disclosure_share",
    ]


def test_stress_of_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert tidegate(monkeypatch, "stress", tmp_path) == 0
    assert capsys.readouterr().out == "0 of 0 materials would fail (0.0%) under the built-in default\n"
