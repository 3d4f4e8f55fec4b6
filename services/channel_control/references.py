"""Secrets in the list of platforms: references to where they are (`env:NAME`, `file:PATH`), never themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr, ValidationInfo

from services.runtime.settings import read_secret


def _resolve(value: Any, info: ValidationInfo) -> Any:
    """What a reference leads to; a secret that was read before passes."""
    if isinstance(value, SecretStr):
        return value
    kind, _, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if kind == "env" and name:
        environ: Mapping[str, str] = (info.context or {}).get("environ", {})
        if not environ.get(name):
            raise ValueError(f"the environment has no {name}")
        return SecretStr(environ[name])
    if kind == "file" and name:
        return SecretStr(read_secret(Path(name), "it"))
    raise ValueError("must be env:NAME or file:PATH; the secret itself does not belong here")


Secret = Annotated[SecretStr, BeforeValidator(_resolve)]
"""Validate with the context `{"environ": …}`."""


def header_text(value: SecretStr) -> SecretStr:
    """The secret, if a header can carry it."""
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("must be printable ASCII without spaces")
    return value
