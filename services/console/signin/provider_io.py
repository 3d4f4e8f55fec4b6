"""The OpenID Connect provider: code flow with PKCE, state and nonce, by Authlib. Asked only when somebody signs in, so
the console starts and lets others in while it is away."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import StarletteIntegration, StarletteOAuth2App
from joserfc.errors import JoseError
from pydantic import BaseModel, ConfigDict

from services.console.people import Person
from services.console.signin.claims import person_of
from services.console.signin.settings import SignInSettings
from services.console.signin.users import Users

CALLBACK: Final = "/signin/callback"
TIMEOUT_S: Final = 10.0
KNOWN_S: Final = 10.0
"""After so long it is asked again what it is, so that nobody is sent to one that is away."""
SKEW_S: Final = 60
"""So far the provider's clock may be off."""
_SIGNATURES: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
)
"""Only those that nobody but the provider can make."""


class ProviderAwayError(Exception):
    """It does not answer, or not as a provider does."""


class ProviderRefusedError(Exception):
    """It lets this person in no more, or says so in a way that is not to be believed. The words are for logs."""


class Begun(BaseModel):
    """What has to be known again when the provider sends somebody back: sealed in a cookie of their browser.

    again: this person is to prove once more who they are.
    """

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    state: str
    nonce: str
    code_verifier: str
    next: str
    at_s: int
    again: bool = False


@dataclass(frozen=True, slots=True)
class Vouched:
    """For whom the provider vouches. proved_s: when they last showed it who they are, 0 where it does not say."""

    person: Person
    proved_s: int
    refresh: str | None


class Provider:
    """The one of the settings."""

    def __init__(self, settings: SignInSettings) -> None:
        secret = settings.console_oidc_client_secret
        self._settings = settings
        self._client: Any = StarletteOAuth2App(
            StarletteIntegration("provider"),
            name="provider",
            client_id=settings.console_oidc_client_id,
            client_secret=None if secret is None else secret.get_secret_value(),
            server_metadata_url=f"{settings.console_oidc_issuer}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid profile email",
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_S,
                "token_endpoint_auth_method": "none" if secret is None else "client_secret_basic",
            },
        )

    async def begin(self, next: str, now_s: float, *, again: bool) -> tuple[str, Begun]:
        """Where to send the browser, and what to remember. Raises ProviderAwayError."""
        more = {"prompt": "login", "max_age": "0"} if again else {}
        if time.time() - self._client.server_metadata.get("_loaded_at", 0.0) > KNOWN_S:
            self._client.server_metadata.pop("_loaded_at", None)
        with _told():
            await self._known()
            made = await self._client.create_authorization_url(self._callback, **more)
        return str(made["url"]), Begun(
            state=made["state"], nonce=made["nonce"], code_verifier=made["code_verifier"],
            next=next, at_s=int(now_s), again=again,
        )  # fmt: skip

    async def finish(self, code: str, begun: Begun, users: Users) -> Vouched:
        """Who has come back. Raises ProviderAwayError, ProviderRefusedError and what `person_of` raises."""
        with _told():
            await self._known()
            token = await self._client.fetch_access_token(
                code=code, code_verifier=begun.code_verifier, redirect_uri=self._callback
            )
            claims = await self._claims(token, begun.nonce)
        vouched = self._vouched(token, claims, users)
        if begun.again and vouched.proved_s < begun.at_s - SKEW_S:
            raise ProviderRefusedError("it did not ask again")
        return vouched

    async def renew(self, refresh: str, users: Users) -> Vouched:
        """The same person as the provider knows them now. Raises as `finish` does."""
        with _told():
            await self._known()
            token = await self._client.fetch_access_token(grant_type="refresh_token", refresh_token=refresh)
            claims = await self._claims(token, None)
        return self._vouched({"refresh_token": refresh, **token}, claims, users)

    async def sign_out_url(self) -> str | None:
        """Where to end the session at the provider itself, if it has such a place. Raises ProviderAwayError."""
        with _told():
            metadata = await self._known()
            if "end_session_endpoint" not in metadata:
                return None
            back = f"{self._settings.console_url}/signin"
            made = await self._client.create_logout_url(
                post_logout_redirect_uri=back, client_id=self._settings.console_oidc_client_id
            )
        return str(made["url"])

    @property
    def _callback(self) -> str:
        return f"{self._settings.console_url}{CALLBACK}"

    async def _known(self) -> Mapping[str, Any]:
        """Its discovery document, of which we keep to the signatures that are any good."""
        metadata: dict[str, Any] = await self._client.load_server_metadata()
        if str(metadata.get("issuer", "")).rstrip("/") != self._settings.console_oidc_issuer:
            metadata.pop("_loaded_at", None)
            raise ProviderAwayError("the discovery document is of another issuer")
        said = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [each for each in said if each in _SIGNATURES]
        return metadata

    async def _claims(self, token: Mapping[str, Any], nonce: str | None) -> dict[str, Any]:
        """What the ID token says, and the userinfo endpoint where that leaves out what we need."""
        metadata = await self._known()
        wanted = {
            "iss": {"essential": True, "values": [metadata["issuer"]]},
            "aud": {"essential": True, "values": [self._settings.console_oidc_client_id]},
        }
        claims: dict[str, Any] = {}
        if token.get("id_token"):
            claims = dict(
                await self._client.parse_id_token(dict(token), nonce=nonce, claims_options=wanted, leeway=SKEW_S)
            )
        elif nonce is not None:
            raise ProviderRefusedError("no ID token came")
        needed = (self._settings.console_oidc_name_claim, self._settings.console_oidc_roles_claim.split(".")[0])
        if any(name not in claims for name in needed) and "userinfo_endpoint" in metadata:
            more = dict(await self._client.userinfo(token=dict(token)))
            if claims and more.get("sub") != claims["sub"]:
                raise ProviderRefusedError("the userinfo is of somebody else")
            claims = {**more, **claims}
        return claims

    def _vouched(self, token: Mapping[str, Any], claims: Mapping[str, Any], users: Users) -> Vouched:
        person = person_of(
            claims,
            users,
            name_claim=self._settings.console_oidc_name_claim,
            roles_claim=self._settings.console_oidc_roles_claim,
            roles=self._settings.console_oidc_roles,
        )
        proved, refresh = claims.get("auth_time"), token.get("refresh_token")
        return Vouched(
            person,
            min(int(proved), int(time.time())) if isinstance(proved, int | float) else 0,
            refresh if isinstance(refresh, str) else None,
        )


@contextmanager
def _told() -> Iterator[None]:
    """Tells the library's and the network's errors as ours, without what they quote."""
    try:
        yield
    except (AuthlibBaseError, JoseError) as error:
        raise ProviderRefusedError(f"{type(error).__name__} {error.error or ''}".strip()) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, RuntimeError, ValueError, KeyError) as error:
        raise ProviderAwayError(type(error).__name__) from None
