"""The protocol of the generic platform as an OpenAPI 3.1 document: what a bank's own gateway has to offer us."""

from typing import Any

from schemas.channels import WantedState

_STATE = {"application/json": {"schema": {"$ref": "#/components/schemas/WantedState"}}}
_TARGET = {
    "name": "target",
    "in": "path",
    "required": True,
    "description": "`kind:id`, percent-encoded as one segment: `channel%3Adouyin`.",
    "schema": {"type": "string", "maxLength": 420},
}
_LATER = {
    "description": "Not now. Seconds in Retry-After are waited out; otherwise it is tried again at growing intervals.",
    "headers": {"Retry-After": {"schema": {"type": "integer", "minimum": 0}}},
}
_SIGNATURE = """
Every request carries the bearer token, where one is set. Where a secret (`whsec_…`) is set it is signed besides,
after Standard Webhooks (https://www.standardwebhooks.com): `webhook-id`, `webhook-timestamp` and `webhook-signature`,
which is `v1,` and the base64 of HMAC-SHA256 over `{id}.{timestamp}.{text}`. The text is a PUT's body, byte for byte,
and the path of a GET as it was sent. Refuse what does not fit, or is older than five minutes.
""".strip()


def _header(name: str, description: str, *, required: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": required,
        "description": description,
        "schema": {"type": "string"},
    }


def platform_api() -> dict[str, Any]:
    """The document."""
    key = _header(
        "Idempotency-Key",
        (
            "The same for each repeat of an order. When one that was confirmed is put again, because something else is "
            "shown since, it has the same generation and another key."
        ),
        required=True,
    )
    signature = [
        _header("webhook-id", "`msg_` and the idempotency key; another one for each GET."),
        _header("webhook-timestamp", "Seconds since 1970."),
        _header("webhook-signature", "See the description of this document."),
    ]
    state = {"description": "What stands.", "content": _STATE}
    refused = {"401": {"description": "The token or the signature is wrong."}, "429": _LATER, "503": _LATER}
    put = {
        "operationId": "put_target",
        "summary": "Carry out an order",
        "description": (
            "Takes a generation that is newer than, or the same as, the one it has. The same again changes nothing. "
            "What was taken is read back, so a platform may answer before it has carried an order out, and goes on "
            "showing the old state until then."
        ),
        "parameters": [key, *signature],
        "requestBody": {"required": True, "content": _STATE},
        "responses": {
            "200": state,
            "409": {"description": "A newer generation is here; it stays.", "content": _STATE},
            "422": {"description": "Not a wanted state, or of another target than the path's."},
            **refused,
        },
    }
    get = {
        "operationId": "get_target",
        "summary": "Show what stands",
        "description": "The real state, whoever brought it about, with the generation of the last order taken.",
        "parameters": signature,
        "responses": {"200": state, "404": {"description": "Nothing was ever ordered for it."}, **refused},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tidegate: the generic platform", "version": "1", "description": _SIGNATURE},
        "paths": {"/v1/targets/{target}": {"parameters": [_TARGET], "put": put, "get": get}},
        "components": {
            "schemas": {"WantedState": WantedState.model_json_schema()},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }
