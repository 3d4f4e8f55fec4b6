"""Imports modules, each as in an interpreter of its own, and tells what they pull in.

    python -m tests.support.import_probe FORBIDDEN,… < modules, one a line  > {module: [what it pulled in]} as JSON

One interpreter a module would take a second each. Here one interpreter loads the libraries that every module may use,
makes sure that they pull in nothing forbidden, and forks for each module: the child has none of the services loaded.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

ALLOWED = ("msgspec", "numpy", "prometheus_client", "pydantic", "yaml")


def loaded(forbidden: list[str]) -> list[str]:
    """Which of the forbidden packages this interpreter has loaded."""
    return sorted(name for name in forbidden if name in sys.modules)


def probe(module: str, forbidden: list[str]) -> list[str]:
    """Import `module` in a fork; what it pulled in, or why it could not be imported."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            importlib.import_module(module)
            found = loaded(forbidden)
        except BaseException as error:  # noqa: BLE001 whatever it is, it is the answer
            found = [f"cannot be imported: {type(error).__name__}: {error}"]
        with os.fdopen(writing, "w", encoding="utf-8") as pipe:
            json.dump(found, pipe)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    result: list[str] = json.loads(answer) if answer else ["ended its interpreter"]
    return result


def main() -> int:
    forbidden = sys.argv[1].split(",")
    for library in ALLOWED:
        importlib.import_module(library)
    ours = [name for name in sys.modules if name.split(".")[0] in ("services", "schemas")]
    if loaded(forbidden) or ours:
        print(f"not a clean start: {loaded(forbidden)} {ours}", file=sys.stderr)
        return 1
    answers = {}
    for module in sorted(sys.stdin.read().split(), key=lambda name: not name.startswith("schemas")):
        answers[module] = probe(module, forbidden)
        if module.startswith("schemas") and not answers[module]:
            importlib.import_module(module)  # proven clean, and nearly all others build on it
    json.dump(answers, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
