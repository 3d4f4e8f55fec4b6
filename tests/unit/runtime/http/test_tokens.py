"""Token files: hashes only, every mistake refused, and a search that tells nothing by its time."""

import re
from hashlib import sha256
from pathlib import Path

import pytest

from services.runtime.files import MAX_FILE_BYTES
from services.runtime.http.tokens import TokenOwner, Tokens, parse_tokens, read_tokens

A, B = sha256(b"token-a").hexdigest(), sha256(b"token-b").hexdigest()


def test_a_token_leads_to_its_owner() -> None:
    tokens = parse_tokens(f"- name: a\n  sha256: {A}\n- name: b\n  sha256: {B}\n", TokenOwner)
    assert len(tokens) == 2
    assert [owner and owner.name for owner in map(tokens.owner_of, (b"token-a", b"token-b"))] == ["a", "b"]


@pytest.mark.parametrize("token", [b"", b"token", b"token-A", b"token-a ", A.encode(), b"\xff\x00"])
def test_anything_else_leads_to_nobody(token: bytes) -> None:
    assert parse_tokens(f"[{{name: a, sha256: {A}}}]", TokenOwner).owner_of(token) is None


def test_all_owners_are_compared_even_after_a_match(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []

    def compare(one: str, other: str) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr("services.runtime.http.tokens.hmac.compare_digest", compare)
    tokens = Tokens([TokenOwner(name="a", sha256=A), TokenOwner(name="b", sha256=B)])
    tokens.owner_of(b"token-a")
    tokens.owner_of(b"wrong")
    assert compared == [A, B, A, B]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "list"),
        ("[]", "names nobody"),
        ("a: b", "list"),
        ("[1]", "0: is not a JSON object"),
        (f"[{{name: a, sha256: {A[:-1]}}}]", "0.sha256: String should match"),
        (f"[{{name: a, sha256: {A.upper()}}}]", "0.sha256: String should match"),
        (f"[{{sha256: {A}}}]", "0.name: is required"),
        (f"[{{name: a, sha256: {A}, roles: all}}]", "0.roles: Extra inputs are not permitted"),
        (f"[{{name: a, sha256: {A}}}, {{name: a, sha256: {B}}}]", "has the same name twice: a"),
        (f"[{{name: a, sha256: {A}}}, {{name: b, sha256: {A}}}]", "has the same sha256 twice"),
        ("- name: [", "is not YAML: line 1"),
        ("\x00", "is not YAML"),
    ],
)
def test_a_mistake_is_told_without_a_hash(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)) as caught:
        parse_tokens(text, TokenOwner)
    assert A[:-1].lower() not in str(caught.value).lower()


def test_files_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(b"#" * (MAX_FILE_BYTES + 1))
    (tmp_path / "latin").write_bytes(b"# \xe9")
    for name, problem in (("none", "No such file"), (".", "Is a directory"), ("large", "larger"), ("latin", "UTF-8")):
        with pytest.raises(ValueError, match=problem):
            read_tokens(str(tmp_path / name), TokenOwner)
