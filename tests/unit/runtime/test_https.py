"""HTTP under TLS: with what certificate, and how a new one is taken up."""

import os
import ssl
from pathlib import Path

import httpx
import pytest

from services.gateway.settings import GatewaySettings
from services.runtime.health import Health
from services.runtime.http import http_io
from services.runtime.http.http_io import health_app, listen, serving
from services.runtime.http.tls import ServerCertificate
from services.runtime.settings import SettingsError, parse
from tests.certificates import self_signed
from tests.support.waiting import eventually


def pair(folder: Path, at_s: int = 1) -> tuple[Path, Path]:
    """A new certificate and its key in the same two files, as of that second."""
    files = (folder / "cert.pem", folder / "key.pem")
    for file, content in zip(files, self_signed("127.0.0.1"), strict=True):
        file.write_bytes(content)
        os.utime(file, (at_s, at_s))
    return files


async def test_a_caller_who_trusts_it_is_served_and_no_other(tmp_path: Path) -> None:
    files = pair(tmp_path)
    bound = listen("127.0.0.1", 0, "the test")
    async with serving(health_app(Health()), bound, certificate=ServerCertificate(*files)) as server:
        url = f"https://127.0.0.1:{server.port}/healthz"
        trusting = ssl.create_default_context(cafile=files[0])
        async with httpx.AsyncClient(verify=trusting) as client, httpx.AsyncClient() as stranger:
            assert (await client.get(url)).status_code == 200
            with pytest.raises(httpx.ConnectError):
                await stranger.get(url)
            with pytest.raises(httpx.HTTPError):
                await stranger.get(url.replace("https", "http"))


async def test_a_new_certificate_is_taken_up_and_a_bad_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_io, "RENEW_S", 0.02)
    files = pair(tmp_path)
    certificate = ServerCertificate(*files)
    bound = listen("127.0.0.1", 0, "the test")
    async with serving(health_app(Health()), bound, certificate=certificate) as server:
        url = f"https://127.0.0.1:{server.port}/healthz"
        old = ssl.create_default_context(cafile=files[0])
        async with httpx.AsyncClient(verify=old) as before:
            assert (await before.get(url)).status_code == 200
            pair(tmp_path, at_s=2)
            new = ssl.create_default_context(cafile=files[0])
            await eventually(lambda: not certificate.renew() and certificate._seen[0][0] == 2 * 10**9, "it is taken up")
            async with httpx.AsyncClient(verify=new) as after:
                assert (await after.get(url)).status_code == 200
            assert (await before.get(url)).status_code == 200, "who is connected stays connected"
        files[1].write_bytes(b"half a key")
        with pytest.raises(ValueError, match="hold no certificate"):
            certificate.renew()
        async with httpx.AsyncClient(verify=new) as after:
            assert (await after.get(url)).status_code == 200


@pytest.mark.parametrize("given", [("cert",), ("key",), ("cert", "cert")])
def test_what_is_no_pair_is_refused_at_the_start(tmp_path: Path, given: tuple[str, ...]) -> None:
    cert, key = pair(tmp_path)
    (tmp_path / "tokens.yml").write_text("[]")
    files = {"cert": str(cert), "key": str(key)}
    environ = {f"TIDEGATE_GATEWAY_TLS_{each.upper()}_FILE": files[each] for each in given}
    if given == ("cert", "cert"):
        environ["TIDEGATE_GATEWAY_TLS_KEY_FILE"] = files["cert"]
    with pytest.raises(SettingsError, match=r"GATEWAY_TLS_KEY_FILE: (a certificate and|the two files)"):
        parse(GatewaySettings, environ | {"TIDEGATE_GATEWAY_TOKENS_FILE": str(tmp_path / "tokens.yml")})
