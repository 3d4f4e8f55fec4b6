"""The users' file, and that one human is not two people."""

from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from services.console.people import Person
from services.console.signin.claims import NoNameError, NoRoleError, person_of
from services.console.signin.passwords import hash_of, is_right, weakness
from services.console.signin.users import SamePersonError, Users, parse
from tests.unit.console.browsing import PASSWORD
from tests.unit.console.world import SETTINGS

LI = next(each for each in SETTINGS.users()._by_name.values() if each.name == "li.wei")
NOW = 1_800_000_000
SESSION = LI.session("0" * 32, NOW)


def users(*entries: dict[str, Any], with_provider: bool = False, **more: Any) -> Users:
    """Of a file with these; what they do not say is li.wei's."""
    known = {"name": LI.name, "role": LI.role, "password": LI.password}
    document = {"users": [known | each for each in entries], **more}
    return parse(yaml.safe_dump(document).encode(), with_provider=with_provider)


def at(seconds: int) -> datetime:
    """A moment, seconds after the session began."""
    return datetime.fromtimestamp(NOW + seconds, UTC)


def test_a_name_is_found_however_it_is_written() -> None:
    found = users({}).by_password(" Li.WEI ", PASSWORD)
    assert found is not None
    assert found.name == "li.wei"
    assert users({}).by_password("li.wei", PASSWORD + "!") is None
    assert users({}).by_password("wang", PASSWORD) is None
    assert users().by_password("wang", PASSWORD) is None


@pytest.mark.parametrize("password", ["", "\x00", "\ud800", "x" * 5000])
def test_no_password_breaks_the_check(password: str) -> None:
    assert not is_right(LI.password, password)


def test_a_password_is_the_same_on_every_keyboard() -> None:
    assert is_right(hash_of("café-123-密码-abc"), "cafe\u0301-123-密码-abc")


@pytest.mark.parametrize("weak", ["short", "li.wei-li.wei", "aaaaaaaaaaaaaaaa", "abababababab"])
def test_weak_passwords_are_not_hashed(weak: str) -> None:
    assert weakness(weak, "li.wei") is not None
    assert weakness(PASSWORD, "li.wei") is None


@pytest.mark.parametrize(
    ("entries", "more", "problem"),
    [
        ([{"password": "hunter2-in-the-clear"}], {}, "is no argon2id hash"),
        ([{"password": LI.password.replace("argon2id", "argon2i")}], {}, "too cheap"),
        ([{"password": LI.password.replace("m=19456", "m=1024")}], {}, "too cheap"),
        ([{"password": LI.password.replace("m=19456", "m=9999999")}], {}, "takes too long"),
        ([{"role": "root"}], {}, "role"),
        ([{"pasword": "x"}], {}, "pasword"),
        ([{}, {"name": "LI.wei"}], {}, "the same name twice"),
        ([{"at_provider": "a"}, {"name": "b", "at_provider": "A"}], {}, "of two users"),
        ([{}], {"not_before": "yesterday"}, "not_before"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_quoted(
    entries: list[dict[str, Any]], more: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        users(*entries, **more)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [b"\xff", b"users: [", b"- li", b"x" * (1024 * 1024 + 1), b"a: !!bool x", b"a: !!timestamp x", b"a: !!int x"],
)
def test_other_files_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="is "):
        parse(data, with_provider=False)


def test_with_a_second_door_each_user_says_who_that_is_there() -> None:
    with pytest.raises(ValueError, match="what the provider calls"):
        users({}, with_provider=True)
    assert users({"at_provider": None}, with_provider=True).named("li.wei") is not None


def test_who_comes_by_both_doors_is_one_person() -> None:
    found = users({"at_provider": "wei.li@bank.example"}).by_provider("Wei.Li@bank.example", "approver")
    assert (found.issuer, found.role) == ("person:li.wei", "approver")


def test_who_has_the_name_of_a_local_user_at_the_provider_is_not_let_in() -> None:
    with pytest.raises(SamePersonError):
        users({"at_provider": "wei.li@bank.example"}).by_provider("LI.WEI", "admin")
    with pytest.raises(SamePersonError):
        users({"at_provider": None}).by_provider("ｌi.wei", "admin")


def test_a_role_of_now_counts_and_a_password_of_before_does_not() -> None:
    promoted = users({"role": "approver"}).still(SESSION)
    assert promoted is not None
    assert promoted.person == Person(name="li.wei", role="approver")
    assert users().still(SESSION) is None
    assert users({"password": LI.password[:-1] + "A"}).still(SESSION) is None


def test_everybody_or_one_person_signs_in_again() -> None:
    assert users({}, not_before=at(1)).still(SESSION) is None
    assert users({}, not_before=at(-1)).still(SESSION) == SESSION
    assert users({}, signed_out={"Li.Wei": at(1)}).still(SESSION) is None
    assert users({}, signed_out={"wang": at(1)}).still(SESSION) == SESSION
    of_provider = SESSION.model_copy(update={"door": "provider"})
    assert users(not_before=at(1)).still(of_provider) is None
    assert users().still(of_provider) == of_provider


def person(claims: dict[str, Any], name_claim: str = "sub", roles_claim: str = "roles") -> Person:
    roles = SETTINGS.console_oidc_roles | {"admin": ["root", "tidegate-admin"]}
    return person_of(claims, users(), name_claim=name_claim, roles_claim=roles_claim, roles=roles)


@pytest.mark.parametrize(
    ("claims", "path", "role"),
    [
        ({"roles": ["x", "tidegate-operator", "tidegate-viewer"]}, "roles", "operator"),
        ({"roles": "root"}, "roles", "admin"),
        ({"realm_access": {"roles": ["tidegate-approver"]}}, "realm_access.roles", "approver"),
        ({"https://bank.example/roles": ["tidegate-viewer"]}, "https://bank.example/roles", "viewer"),
    ],
)
def test_the_highest_role_counts(claims: dict[str, Any], path: str, role: str) -> None:
    assert person({"sub": "u1", **claims}, roles_claim=path) == Person(name="u1", role=role)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "roles", [None, [], ["admin"], {"tidegate-admin": 1}, 7, "tidegate-admin2", [["tidegate-admin"]]]
)
def test_without_a_role_nobody_is_let_in(roles: Any) -> None:
    with pytest.raises(NoRoleError):
        person(
            {"sub": "u1", "roles": roles}
            if not isinstance(roles, list) or all(isinstance(each, str) for each in roles)
            else {"sub": "u1", "roles": [7]}
        )


@pytest.mark.parametrize("name", [None, "", "  ", 7, "a\nb", "x" * 101])
def test_without_a_name_nobody_is_let_in(name: Any) -> None:
    with pytest.raises(NoNameError):
        person({"sub": name, "roles": "root"})


def test_an_address_counts_only_when_the_provider_has_verified_it() -> None:
    claims = {"email": "Li@bank.example", "roles": "root"}
    with pytest.raises(NoNameError):
        person(claims, name_claim="email")
    assert person(claims | {"email_verified": True}, name_claim="email").name == "li@bank.example"
