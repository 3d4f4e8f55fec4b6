"""What a header can carry."""

from pydantic import SecretStr


def header_text(value: SecretStr) -> SecretStr:
    """The secret, if a header can carry it."""
    text = value.get_secret_value()
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise ValueError("must be printable ASCII without spaces")
    return value
