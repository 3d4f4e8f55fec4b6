"""Sets one figure in the text of a policy and leaves all other text as it is, comments too.

Done by the places that the YAML reader tells, not by writing the document anew. What comes out is read again: where it
does not say exactly what was wanted, nothing is changed.
"""

import copy
import json
import re
from collections.abc import Sequence
from typing import Any, Final

import yaml

from schemas.problems import ToldError
from services.policies.documents import Document

_PLAIN: Final = re.compile(r"^[a-z][a-z_]*$")
_NOT_PLAIN: Final = ("null", "true", "false")


class CannotEditError(ToldError):
    """The text is written in a way in which this figure can only be changed by hand."""


def put(text: str, path: Sequence[str], value: Any) -> str:
    """The text with a value at a path of keys, and all mappings on the way to it. Raises CannotEditError."""
    document = Document(text)
    if document.flaws or document.root is None:
        raise CannotEditError("the document is not valid YAML", "文档不是有效的 YAML")
    wanted = _with(document.value, path, value)
    edited = _edited(text, document.root, path, value)
    after = Document(edited)
    if after.flaws or after.value != wanted:
        raise CannotEditError(
            f"{'.'.join(path)} is written in a way that only a person can change",
            f"{'.'.join(path)} 的写法只能在文档中手工修改",
        )
    return edited


def _with(document: Any, path: Sequence[str], value: Any) -> Any:
    """What the document then says."""
    if not path:
        return value
    known = dict(document) if isinstance(document, dict) else {}
    return copy.copy(known) | {path[0]: _with(known.get(path[0]), path[1:], value)}


def _edited(text: str, root: yaml.Node, path: Sequence[str], value: Any) -> str:
    node, known = root, 0
    while known < len(path) and (below := _value_of(node, path[known])) is not None:
        node, known = below, known + 1
    for key in reversed(path[known + 1 :]):
        value = {key: value}
    if known == len(path):
        return _replaced(text, node, value)
    if isinstance(node, yaml.MappingNode) and node.value:
        return _added(text, node, path[known], value)
    return _replaced(text, node, {path[known]: value})


def _value_of(node: yaml.Node, key: str) -> yaml.Node | None:
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _replaced(text: str, node: yaml.Node, value: Any) -> str:
    start, end = node.start_mark.index, node.end_mark.index
    gap = " " if start == end else ""  # a key with nothing behind its colon
    return text[:start] + gap + written(value) + text[end:]


def _added(text: str, parent: yaml.MappingNode, key: str, value: Any) -> str:
    """Behind the last part of a mapping; of one that is written in lines, in a line of its own."""
    entry = f"{written(key)}: {written(value)}"
    end = _end(parent.value[-1])
    if parent.flow_style:
        return f"{text[:end]}, {entry}{text[end:]}"
    line_end = text.find("\n", end)
    place = len(text) if line_end < 0 else line_end
    indent = " " * parent.value[0][0].start_mark.column
    return f"{text[:place]}\n{indent}{entry}{text[place:]}"


def _end(pair: tuple[yaml.Node, yaml.Node]) -> int:
    """Where the last sign of a part stands; the reader's own mark lies behind the comments that follow."""
    key, value = pair
    if isinstance(value, yaml.CollectionNode) and not value.flow_style and value.value:
        last = value.value[-1]
        return _end(last if isinstance(value, yaml.MappingNode) else (last, last))
    return max(int(key.end_mark.index), int(value.end_mark.index))


def written(value: Any) -> str:
    """In one line, as people write it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{written(key)}: {written(each)}' for key, each in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, str) and _PLAIN.match(value) and value not in _NOT_PLAIN:
        return value
    return json.dumps(value, ensure_ascii=False)
