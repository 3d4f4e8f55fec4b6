"""Words of the page of complaints. Pure."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from schemas.base import Bilingual

ENTRIES: Final[Mapping[str, Bilingual]] = MappingProxyType(
    {
        "one_click": Bilingual(en="one click", zh="一键投诉"),
        "hotline": Bilingual(en="hotline", zh="客服热线"),
        "branch": Bilingual(en="branch", zh="营业网点"),
        "regulator": Bilingual(en="regulator", zh="监管转办"),
    }
)
