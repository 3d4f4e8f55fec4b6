"""A YAML document of which every place has its line.

Read as YAML 1.2 reads it: `18:00`, `no` and `2026-10-01` are texts. PyYAML by itself makes 1080, false and a date of
them, and of a key that is given twice it silently takes the last.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import yaml

from schemas.flaws import REQUIRED, Flaw, Path

_WORDS: Final = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?(?:0|[1-9][0-9]*)",
    "float": r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?",
}

_MAX_PARTS: Final = 1_000_000
"""A few lines of aliases of aliases can stand for so much that nobody could read it in a lifetime."""


RESOLVERS: Final[dict[str | None, list[tuple[str, re.Pattern[str]]]]] = {
    None: [(f"tag:yaml.org,2002:{name}", re.compile(f"^(?:{words})$")) for name, words in _WORDS.items()]
}
"""By first letter (None: whatever it is), what else than a text a word is."""


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = RESOLVERS


class Document:
    """One document. `value`: as plain data. `flaws`: what is wrong with it as YAML; then `value` may be None.
    `root`: its parts with their places."""

    def __init__(self, text: str) -> None:
        self.value: Any = None
        self.flaws: list[Flaw] = []
        self.root: yaml.Node | None = None
        self._broken_at = 1
        try:
            loader = _Loader(text)
            self.root = loader.get_single_node()
            if self.root is not None:
                self.flaws += _twice(self.root, (), set())
                if _size(self.root, {}) > _MAX_PARTS:
                    raise ValueError("its aliases stand for more parts than any policy has")
                self.value = loader.construct_document(self.root)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._broken_at = mark.line + 1 if mark else 1
            self.flaws = [Flaw((), f"is not YAML: {error.problem or error.context}")]
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            self.flaws = [Flaw((), f"is not YAML: {error}")]
        except (LookupError, AttributeError, ArithmeticError):
            # PyYAML's own, where a tag stands before what it cannot be
            self.flaws = [Flaw((), "is not YAML: a tag does not fit what follows it")]

    def place(self, flaw: Flaw) -> tuple[int, Path]:
        """Its line, and its path as far as the document has it; pydantic also names the branches of its unions."""
        node, line, path = self.root, self._broken_at, []
        for step in flaw.path:
            found = _child(node, step)
            if found is not None:
                line, node = found
                path.append(step)
            elif flaw.problem == REQUIRED:
                path.append(step)
        return line, tuple(path)


def _child(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    """The line at which a part of a mapping or list begins, and that part; the last of those with one key."""
    if isinstance(node, yaml.MappingNode):
        for key, value in reversed(node.value):
            if isinstance(key, yaml.ScalarNode) and key.value == str(step):
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None


def _twice(node: yaml.Node, path: Path, seen: set[int]) -> Iterator[Flaw]:
    """Keys that stand twice in one mapping. An alias is looked at where it was first met."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        first: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if first.setdefault(name, line) != line:
                yield Flaw((*path, name), f"is given twice, first in line {first[name]}")
            yield from _twice(value, (*path, name), seen)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _twice(value, (*path, number), seen)


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """How many parts a node has once every alias is written out, save one that is part of itself."""
    if id(node) not in known:
        known[id(node)] = 0
        below = node.value if isinstance(node, yaml.CollectionNode) else []
        parts = (each for pair in below for each in (pair if isinstance(pair, tuple) else (pair,)))
        known[id(node)] = 1 + sum(_size(each, known) for each in parts)
    return known[id(node)]
