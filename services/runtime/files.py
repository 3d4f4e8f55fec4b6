"""Files in settings."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator


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
