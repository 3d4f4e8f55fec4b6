"""Whose door it is: what its page calls itself, in which languages, and who answers the telephone."""

from typing import Annotated

from pydantic import Field

from schemas.base import Name
from schemas.closed import Closed
from schemas.directory import Label
from services.gateway.door.languages import Language


class Institution(Closed):
    """As JSON in the settings: `{"name": {"en": "Demo Bank", "zh": "演示银行"}, "phone": "95555"}`.

    languages: those of its customers, the usual one first.
    """

    name: Label
    phone: Annotated[Name, Field(max_length=40)] | None = None
    languages: Annotated[list[Language], Field(min_length=1)] = ["zh", "en"]
