"""Settings of the demonstration's own processes."""

from typing import Annotated, ClassVar

from pydantic import Field, SecretStr

from services.runtime.settings import CommonSettings


class DemoSettings(CommonSettings):
    """Where the generator sends its events, as whom, and how many."""

    own_prefix: ClassVar[str] = "demo_"

    demo_gateway_url: str = "http://127.0.0.1:8080"
    demo_token: SecretStr
    demo_rate: Annotated[float, Field(gt=0, le=10_000)] = 20.0
    """Events a second. With this many nothing trips by itself; with few, ratios of small numbers do."""
