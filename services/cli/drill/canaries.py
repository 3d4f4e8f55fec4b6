"""Values that must not be found again, in whatever form a text may be written."""

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus


def forms(value: str) -> set[bytes]:
    """The value as it is, in a URL, in JSON, in a page, in hexadecimal digits, and within base64."""
    plain = value.encode()
    texts = {value, quote(value), quote(value, safe=""), quote_plus(value), html.escape(value)}
    texts |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], plain.hex()}
    texts |= {text.lower() for text in texts}
    return {text.encode() for text in texts} | set(_within_base64(plain))


def _within_base64(plain: bytes) -> Iterator[bytes]:
    """What any text that has the value in it has in its base64, by how many bytes come before it."""
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + plain)
        whole = encoded[(before * 8 + 5) // 6 : (before + len(plain)) * 8 // 6]
        yield from (whole, whole.translate(bytes.maketrans(b"+/", b"-_")))
