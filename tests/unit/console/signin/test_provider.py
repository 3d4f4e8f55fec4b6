"""What a provider may answer, and what of it is believed: a small one of our own that lies as it is told."""

import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from pydantic import SecretStr

from services.console.signin.asking_io import AWAY_S, CHECK_S, REST_S, Asking
from services.console.signin.claims import NoRoleError
from services.console.signin.provider_io import Begun, Provider, ProviderAwayError, ProviderRefusedError
from services.console.signin.sessions import Session
from services.console.signin.users_io import UsersNow
from tests.unit.console.world import SETTINGS as PLAIN

ISSUER = "https://login.bank.example"
KEY, OTHER = RSAKey.generate_key(2048, {"kid": "1"}), RSAKey.generate_key(2048, {"kid": "1"})
SETTINGS = PLAIN.model_copy(
    update={
        "console_url": "https://tidegate.bank.example",
        "console_oidc_issuer": ISSUER,
        "console_oidc_client_id": "tidegate",
        "console_oidc_client_secret": SecretStr("hunter2"),
    }
)


class Lying:
    """claims: added to what the ID token truly says. key, alg: it is signed with. token: the whole answer instead."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.key: Any = KEY
        self.alg = "RS256"
        self.token: dict[str, Any] | None = None
        self.metadata: dict[str, Any] = {}
        self.userinfo: dict[str, Any] = {}
        self.status = 200
        self.asked: list[dict[str, list[str]]] = []
        self.nonce = ""

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        if self.status != 200:
            return httpx2.Response(self.status)
        answers: dict[str, Callable[[], dict[str, Any]]] = {
            "/.well-known/openid-configuration": self._metadata,
            "/keys": lambda: {"keys": [KEY.as_dict(private=False)]},
            "/userinfo": lambda: self.userinfo,
        }
        if request.url.path == "/token":
            self.asked.append(parse_qs(request.content.decode()))
            token = self._token() if self.token is None else self.token
            return httpx2.Response(400 if "error" in token else 200, json=token)
        return httpx2.Response(200, json=answers[request.url.path]())

    def _metadata(self) -> dict[str, Any]:
        places = {"authorization_endpoint": "auth", "token_endpoint": "token", "jwks_uri": "keys"}
        known: dict[str, Any] = {name: f"{ISSUER}/{path}" for name, path in places.items()}
        known |= {"userinfo_endpoint": f"{ISSUER}/userinfo"} if self.userinfo else {}
        return {"issuer": ISSUER, "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"], **known} | (
            self.metadata
        )

    def _token(self) -> dict[str, Any]:
        now = int(time.time())
        said = {
            "iss": ISSUER, "aud": "tidegate", "sub": "u1", "iat": now, "exp": now + 60, "auth_time": now,
            "nonce": self.nonce, "roles": ["tidegate-operator"],
        } | self.claims  # fmt: skip
        said = {name: value for name, value in said.items() if value is not None}
        if self.alg == "none":
            header, body = (urlsafe_b64encode(json.dumps(part).encode()).decode() for part in ({"alg": "none"}, said))
            signed = f"{header.rstrip('=')}.{body.rstrip('=')}."
        else:
            signed = jwt.encode({"alg": self.alg, "kid": "1"}, said, self.key, algorithms=[self.alg])
        return {"access_token": "a", "token_type": "Bearer", "refresh_token": "r2", "id_token": signed}


@pytest.fixture
def lying() -> Lying:
    return Lying()


@pytest.fixture
def provider(lying: Lying) -> Provider:
    found = Provider(SETTINGS)
    found._client.client_kwargs["transport"] = httpx2.MockTransport(lying)
    return found


async def begun(provider: Provider, lying: Lying, *, again: bool = False) -> Begun:
    _, started = await provider.begin("/", time.time(), again=again)
    lying.nonce = started.nonce
    return started


async def test_the_way_there_has_all_that_protects_the_way_back(provider: Provider, lying: Lying) -> None:
    url, started = await provider.begin("/", time.time(), again=True)
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert (query["state"], query["nonce"]) == (started.state, started.nonce)
    assert (query["code_challenge_method"], query["response_type"]) == ("S256", "code")
    assert query["redirect_uri"] == "https://tidegate.bank.example/signin/callback"
    assert (query["prompt"], query["max_age"]) == ("login", "0")
    assert started.code_verifier not in url
    assert "hunter2" not in url


async def test_who_has_come_back_is_known_and_the_code_is_used_with_its_verifier(
    provider: Provider, lying: Lying
) -> None:
    started = await begun(provider, lying)
    vouched = await provider.finish("the-code", started, SETTINGS.users())
    assert (vouched.person.name, vouched.person.role, vouched.refresh) == ("u1", "operator", "r2")
    assert vouched.proved_s > 0
    assert lying.asked[0]["code_verifier"] == [started.code_verifier]
    assert lying.asked[0]["code"] == ["the-code"]


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere"},
        {"iss": None},
        {"aud": "another-client"},
        {"aud": ["another-client"], "azp": "tidegate"},
        {"aud": None},
        {"nonce": "of another browser"},
        {"nonce": None},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"azp": "another-client"},
        {"sub": None},
    ],
)
async def test_an_id_token_that_is_not_for_us_now_is_refused(
    provider: Provider, lying: Lying, claims: dict[str, Any]
) -> None:
    started = await begun(provider, lying)
    lying.claims = claims
    with pytest.raises(ProviderRefusedError):
        await provider.finish("c", started, SETTINGS.users())


async def test_clocks_may_differ_by_a_little(provider: Provider, lying: Lying) -> None:
    started = await begun(provider, lying)
    lying.claims = {"exp": int(time.time()) - 20, "iat": int(time.time()) + 20}
    assert (await provider.finish("c", started, SETTINGS.users())).person.name == "u1"


@pytest.mark.parametrize(
    ("alg", "key"), [("RS256", OTHER), ("HS256", OctKey.import_key("hunter2-hunter2-hunter2-hunter2-")), ("none", KEY)]
)
async def test_a_signature_that_is_not_the_providers_is_refused(
    provider: Provider, lying: Lying, alg: str, key: Any
) -> None:
    started = await begun(provider, lying)
    lying.alg, lying.key = alg, key
    with pytest.raises(ProviderRefusedError):
        await provider.finish("c", started, SETTINGS.users())


@pytest.mark.parametrize(
    "token", [{"error": "invalid_grant"}, {"access_token": "a"}, {"access_token": "a", "id_token": "x.y.z"}]
)
async def test_an_answer_without_a_good_id_token_is_refused(
    provider: Provider, lying: Lying, token: dict[str, Any]
) -> None:
    started = await begun(provider, lying)
    lying.token = token
    with pytest.raises(ProviderRefusedError):
        await provider.finish("c", started, SETTINGS.users())


async def test_roles_may_be_in_the_userinfo_but_not_in_somebody_elses(provider: Provider, lying: Lying) -> None:
    lying.claims, lying.userinfo = {"roles": None}, {"sub": "u1", "roles": ["tidegate-viewer"]}
    started = await begun(provider, lying)
    assert (await provider.finish("c", started, SETTINGS.users())).person.role == "viewer"
    lying.userinfo = {"sub": "u2", "roles": ["tidegate-admin"]}
    with pytest.raises(ProviderRefusedError):
        await provider.finish("c", started, SETTINGS.users())


@pytest.mark.parametrize("auth_time", [None, 1_700_000_000])
async def test_who_was_to_be_asked_again_must_have_been(
    provider: Provider, lying: Lying, auth_time: int | None
) -> None:
    started = await begun(provider, lying, again=True)
    lying.claims = {"auth_time": auth_time}
    with pytest.raises(ProviderRefusedError):
        await provider.finish("c", started, SETTINGS.users())


@pytest.mark.parametrize("metadata", [{"issuer": "https://elsewhere"}, {"issuer": None}])
async def test_a_discovery_document_of_another_issuer_is_not_used(
    provider: Provider, lying: Lying, metadata: dict[str, Any]
) -> None:
    lying.metadata = metadata
    for _ in range(2):
        with pytest.raises(ProviderAwayError):
            await begun(provider, lying)


async def test_one_that_is_away_is_asked_again_later(provider: Provider, lying: Lying) -> None:
    lying.status = 502
    with pytest.raises(ProviderAwayError):
        await begun(provider, lying)
    lying.status = 200
    assert (await begun(provider, lying)).state


class Clock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


def session(clock: Clock, **changed: Any) -> Session:
    now = int(clock.now)
    known: dict[str, Any] = {
        "session_id": "0" * 32,
        "name": "u1",
        "role": "operator",
        "door": "provider",
        "refresh": "r",
    }
    known |= dict.fromkeys(("began_s", "proved_s", "seen_s", "checked_s"), now)
    return Session(**known | changed)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def asking(provider: Provider, clock: Clock) -> Asking:
    return Asking(provider, UsersNow(SETTINGS.model_copy(update={"console_users_file": None})), clock)


async def test_the_role_is_asked_for_once_a_minute(asking: Asking, lying: Lying, clock: Clock) -> None:
    known = session(clock)
    assert await asking.still(known) == known
    clock.now += CHECK_S
    lying.claims = {"roles": ["tidegate-approver"]}
    first, second = await asking.still(known), await asking.still(known)
    assert first == second
    assert first is not None
    assert (first.role, first.refresh, first.checked_s) == ("approver", "r2", int(clock.now))
    assert len(lying.asked) == 1
    assert lying.asked[0]["refresh_token"] == ["r"]


@pytest.mark.parametrize("claims", [{"roles": []}, {"sub": "u2"}])
async def test_who_may_no_more_or_is_somebody_else_now_is_out(
    asking: Asking, lying: Lying, clock: Clock, claims: dict[str, Any]
) -> None:
    known = session(clock)
    clock.now += CHECK_S
    lying.claims = claims
    assert await asking.still(known) is None


async def test_a_refresh_token_that_was_revoked_ends_the_session(asking: Asking, lying: Lying, clock: Clock) -> None:
    known = session(clock)
    clock.now += CHECK_S
    lying.token = {"error": "invalid_grant"}
    assert await asking.still(known) is None


async def test_a_provider_that_is_away_is_left_alone_and_trusted_for_a_while(
    asking: Asking, lying: Lying, clock: Clock
) -> None:
    known = session(clock)
    lying.status = 503
    clock.now += CHECK_S
    assert await asking.still(known) == known
    lying.status = 200
    assert await asking.still(known) == known, "it is not asked again at once"
    assert lying.asked == []
    clock.now += REST_S
    assert (await asking.still(known) or known).refresh == "r2"
    lying.status = 503
    clock.now += AWAY_S
    assert await asking.still(known) is None


async def test_without_anything_to_ask_with_it_is_trusted_for_a_while(asking: Asking, clock: Clock) -> None:
    known = session(clock, refresh=None)
    clock.now += AWAY_S - 1
    assert await asking.still(known) == known
    clock.now += 1
    assert await asking.still(known) is None


async def test_a_stream_asks_nobody_and_knows_when_somebody_else_has_to(
    asking: Asking, lying: Lying, clock: Clock
) -> None:
    known = session(clock)
    assert asking.standing(known) == "in"
    clock.now += CHECK_S
    assert asking.standing(known) == "due"
    assert lying.asked == []
    await asking.still(known)
    assert asking.standing(known) == "in", "a request of the page has asked"
    clock.now += AWAY_S
    assert asking.standing(known) == "out"


async def test_errors_quote_no_secret(provider: Provider, lying: Lying) -> None:
    started = await begun(provider, lying)
    lying.token = {"error": "invalid_client", "error_description": "hunter2 is wrong"}
    with pytest.raises(ProviderRefusedError) as caught:
        await provider.finish("c", started, SETTINGS.users())
    assert "hunter2" not in json.dumps(str(caught.value))
    assert not isinstance(caught.value, NoRoleError)
