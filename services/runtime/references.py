"""Secrets in files that people read: references to where they are (`env:NAME`, `file:PATH`), never themselves."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, SecretStr, ValidationInfo

from services.runtime.settings import read_secret


def _resolve(value: Any, info: ValidationInfo) -> Any:
    """What a reference leads to; a problem never quotes the value, which may be the secret itself."""
    if isinstance(value, SecretStr):  # it was read before
        return value
    how, _, where = value.partition(":") if isinstance(value, str) else ("", "", "")
    known: Mapping[str, Any] = info.context or {}
    if how == "env" and where:
        if not known["environ"].get(where):
            raise ValueError(f"the variable {where} is not set")
        return SecretStr(known["environ"][where])
    if how == "file" and where:
        return SecretStr(read_secret(known["folder"] / Path(where), "it"))
    raise ValueError("must be env:NAME or file:PATH; a secret does not stand in this file itself")


Secret = Annotated[SecretStr, BeforeValidator(_resolve)]
"""Validate with the context `{"environ": …, "folder": …}`: paths begin at the folder of the file that refers."""
