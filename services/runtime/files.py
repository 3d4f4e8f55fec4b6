"""Files in settings."""

from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator

MAX_FILE_BYTES: Final = 1024 * 1024


def _there(path: Path) -> Path:
    try:
        found = path.is_file()
    except OSError:
        # A name that no file can have, or a folder that nobody may look into: pydantic's own type lets it escape.
        found = False
    if not found:
        raise ValueError("Path does not point to a file")
    return path


File = Annotated[Path, AfterValidator(_there)]
"""A file that is there."""


def content_of(path: Any) -> bytes:
    """What is in a file that people write, for a validator of settings. Raises ValueError, which says what is wrong."""
    try:
        with Path(path).open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror or 'not a path'}") from None
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"is larger than {MAX_FILE_BYTES} bytes")
    return data
