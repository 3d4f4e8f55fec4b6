"""All kinds of platform there are, found by walking the package."""

import importlib
import pkgutil
from functools import cache
from inspect import isabstract
from types import ModuleType

from services.channel_control import platforms
from services.channel_control.adapter import Adapter


@cache
def all_kinds() -> dict[str, type[Adapter]]:
    """Every adapter by its kind."""
    return found_in(platforms)


def found_in(package: ModuleType) -> dict[str, type[Adapter]]:
    """The adapters in the modules of a package, by their kinds; two of one kind raise ValueError."""
    found: dict[str, type[Adapter]] = {}
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for item in vars(module).values():
            if not isinstance(item, type) or not issubclass(item, Adapter) or isabstract(item):
                continue
            if item.__module__ != module.__name__:
                continue
            if item.kind in found:
                raise ValueError(f"{module.__name__}: a second adapter is called {item.kind}")
            found[item.kind] = item
    return dict(sorted(found.items()))
