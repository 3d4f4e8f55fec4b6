"""The list of platforms (`TIDEGATE_CONTROL_PLATFORMS`, YAML): by name what kind each is and what that kind is to know.

    platforms:
      google-ads: {kind: google_ads, customer: "1234567890", developer_token: env:GOOGLE_ADS_TOKEN, …}
      gateway:    {kind: generic, url: https://ads.example/api, secret: file:/run/secrets/gateway}

The policy's directory says which channel a platform serves. `default` serves whatever it names none for.
"""

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import TypeAdapter, ValidationError

from schemas.base import Name
from schemas.problems import problems_of
from services.channel_control.adapter import Adapter
from services.channel_control.enforcing.adapters import all_kinds
from services.channel_control.enforcing.addresses import DEFAULT
from services.channel_control.platforms.generic import Generic, GenericOptions
from services.channel_control.settings import ControlSettings
from services.runtime.settings import SettingsError, variable

_NAME: Final[TypeAdapter[str]] = TypeAdapter(Name)
_LIST: Final = variable("control_platforms")
_DEFAULT: Final = variable("control_platform_url")


def platforms_of(
    settings: ControlSettings, environ: Mapping[str, str], now: Callable[[], datetime]
) -> dict[str, Adapter]:
    """Every platform by its name; reads the list and the secrets. Raises SettingsError with all problems."""
    adapters: dict[str, Adapter] = {}
    problems: list[tuple[str, str]] = []
    path = settings.control_platforms
    for name, entry in _entries(path, problems):
        try:
            adapters[name] = _adapter(entry, environ, Path() if path is None else path.parent, now)
        except ValidationError as error:
            problems += [(_LIST, f"{name}.{found.field}: {found.problem}") for found in problems_of(error)]
        except ValueError as error:
            problems.append((_LIST, f"{name}: {error}"))
    if settings.control_platform_url is not None:
        if DEFAULT in adapters:
            problems.append((_LIST, f"the platform {DEFAULT} is given twice, here and by {_DEFAULT}; keep one"))
        adapters[DEFAULT] = _default(settings, settings.control_platform_url, now)
    if problems:
        raise SettingsError(problems)
    return adapters


def _default(settings: ControlSettings, url: str, now: Callable[[], datetime]) -> Adapter:
    options = GenericOptions(url=url, token=settings.control_platform_token, secret=settings.control_platform_secret)
    return Generic(options, now)


def _entries(path: Path | None, problems: list[tuple[str, str]]) -> Iterator[tuple[str, Any]]:
    """The entries of the list; what is wrong with the file as a whole goes to `problems`."""
    if path is None:
        return
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        problems.append((_LIST, f"the file cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"))
        return
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problems.append((_LIST, "the file is not YAML" + (f", line {mark.line + 1}" if mark else "")))
        return
    if not isinstance(document, dict) or set(document) != {"platforms"} or not isinstance(document["platforms"], dict):
        problems.append((_LIST, "the file is a mapping with one key, platforms, which is a mapping by name"))
        return
    for name, entry in document["platforms"].items():
        try:
            yield _NAME.validate_python(name, strict=True), entry
        except ValidationError:
            problems.append((_LIST, "a platform's name is text of 1 to 200 characters"))


def _adapter(entry: Any, environ: Mapping[str, str], folder: Path, now: Callable[[], datetime]) -> Adapter:
    kinds = all_kinds()
    if not isinstance(entry, dict):
        raise ValueError("must be a mapping with a kind")
    kind = kinds.get(entry["kind"]) if isinstance(entry.get("kind"), str) else None
    if kind is None:
        raise ValueError(f"kind must be one of {', '.join(kinds)}")
    if kind.library is not None and not is_installed(kind.library):
        extra = f"tidegate[{kind.kind.replace('_', '-')}]"
        raise ValueError(f"its library {kind.library} is not installed: pip install '{extra}'")
    said = {name: value for name, value in entry.items() if name != "kind"}
    return kind(kind.options.model_validate(said, context={"environ": environ, "folder": folder}), now)


def is_installed(distribution: str) -> bool:
    """Whether a library is there, without importing it."""
    return any(importlib.metadata.distributions(name=distribution))
