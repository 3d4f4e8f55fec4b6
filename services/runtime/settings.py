"""Settings from `TIDEGATE_*` environment variables: typed, frozen, checked at start, every problem named at once.

A service subclasses `CommonSettings`, says its own prefix and adds fields that begin with it:

    class GatewaySettings(CommonSettings):
        own_prefix: ClassVar[str] = "gateway_"
        gateway_port: Port = 8080    # TIDEGATE_GATEWAY_PORT
        gateway_key: SecretStr       # TIDEGATE_GATEWAY_KEY, or TIDEGATE_GATEWAY_KEY_FILE, the file that it is in

    settings = load(GatewaySettings, os.environ)

A field that is not a single value takes JSON (`Json[list[str]]`). An empty variable counts as not set.
"""

import difflib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from services.runtime.files import File
from services.runtime.http.tls import TlsFileError, client_context
from services.runtime.http.urls import BaseUrl

ENV_PREFIX = "TIDEGATE_"
SERVICE_PREFIXES = (
    "gateway_",
    "ingest_",
    "indicators_",
    "control_",
    "alerting_",
    "console_",
    "demo_",
    "cli_",
    "launcher_",
)
"""A service leaves names that begin with another's prefix to that one, so one environment can serve all."""

MAX_SECRET_BYTES = 64 * 1024
_ADDRESS = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):(\d{1,5})$")

Port = Annotated[int, Field(ge=0, le=65535)]
"""A TCP port; 0 takes any free one."""


def _addresses(value: str) -> str:
    parts = [part.strip() for part in value.split(",")]
    for part in parts:
        match = _ADDRESS.match(part)
        if match is None or not 1 <= int(match[2]) <= 65535:
            raise ValueError("must be host:port, or several of them with commas between")
    return ",".join(parts)


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class CommonSettings(BaseModel):
    """What every service is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    own_prefix: ClassVar[str] = ""
    """The prefix of the fields that a subclass adds, one of SERVICE_PREFIXES."""

    kafka: Annotated[str, AfterValidator(_addresses)] = "127.0.0.1:9092"
    """The brokers to begin with, `host:port,…`."""
    prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$", max_length=100)] = ""
    """Put before the name of every topic, group and transaction."""
    partitions: Annotated[int, Field(ge=1, le=1000)] = 2
    """Of every topic that has more than one; fixed once the topics exist."""
    replication: Annotated[int, Field(ge=1, le=10)] = 1
    """Copies that the cluster keeps of what is created."""
    clock: Annotated[Literal["wall", "events"], BeforeValidator(_lower)] = "wall"
    """`wall` in service, `events` when history is replayed."""
    http_host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,60}$")] = "0"
    """Tells apart the workers of one service: the end of the static membership id."""
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = "info"

    traces_endpoint: BaseUrl | None = None
    """The base address of an OpenTelemetry collector that takes OTLP over HTTP; nothing is traced without it."""
    traces_ratio: Annotated[float, Field(ge=0, le=1)] = 0.001
    """Of the requests at the gateway that come without a trace, how many are traced."""

    kafka_tls: bool = False
    """Encrypted connections; the system's authorities vouch for the brokers unless a CA file is given."""
    kafka_tls_ca_file: File | None = None
    kafka_tls_cert_file: File | None = None
    kafka_tls_key_file: Annotated[File | None, Field(validate_default=True)] = None
    kafka_sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    kafka_sasl_username: Annotated[str | None, Field(validate_default=True)] = None
    kafka_sasl_password: Annotated[SecretStr | None, Field(validate_default=True)] = None

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuses a service that forgot its prefix: misspelt names under it would pass unseen."""
        if not cls.own_prefix and any(field.startswith(SERVICE_PREFIXES) for field in cls.model_fields):
            raise TypeError(f"{cls.__name__} does not say its own_prefix")

    # These look at earlier fields, not at the whole model, so that their complaints come with all the others.

    @field_validator("kafka_tls_ca_file", "kafka_tls_cert_file", "kafka_tls_key_file")
    @classmethod
    def _only_with_tls(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("kafka_tls") is False:
            raise ValueError(f"has no use without {variable('kafka_tls')}=true")
        return value

    @field_validator("kafka_tls_key_file")
    @classmethod
    def _key_with_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        certificate = info.data.get("kafka_tls_cert_file", value)
        if (value is None) != (certificate is None):
            raise ValueError(f"and {variable('kafka_tls_cert_file')} go together")
        return value

    @field_validator("kafka_sasl_username", "kafka_sasl_password")
    @classmethod
    def _with_mechanism(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "kafka_sasl_mechanism" in info.data:
            mechanism = info.data["kafka_sasl_mechanism"]
            if value is None and mechanism is not None:
                raise ValueError(f"is needed with {variable('kafka_sasl_mechanism')}")
            if value is not None and mechanism is None:
                raise ValueError(f"has no use without {variable('kafka_sasl_mechanism')}")
        return value


AnySettings = TypeVar("AnySettings", bound=CommonSettings)


class SettingsError(ValueError):
    """All that is wrong with the environment, one `VARIABLE: problem` each; never a value."""

    def __init__(self, problems: Iterable[tuple[str, str]]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{name}: {problem}" for name, problem in self.problems))


def variable(field: str) -> str:
    """The environment variable of a field."""
    return ENV_PREFIX + field.upper()


def parse(cls: type[AnySettings], environ: Mapping[str, str]) -> AnySettings:
    """The settings in `environ`; reads the secret and certificate files. Raises SettingsError with all problems."""
    given = {name: value for name, value in environ.items() if name.startswith(ENV_PREFIX) and value != ""}
    problems = list(_unknown(cls, given))
    values: dict[str, str] = {}
    for field, info in cls.model_fields.items():
        try:
            value = _value(field, info, given)
        except ValueError as error:
            problems.append((variable(field), str(error)))
        else:
            if value is not None:
                values[field] = value
    # A secret that could not be read is named already; that it is missing as well would be said twice.
    named = {name for name, _ in problems}
    try:
        settings = cls.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        found = [_problem(cls, detail) for detail in details]
        problems += [(name, problem) for name, problem in found if name not in named]
    else:
        problems += _tls_problems(settings)
    if problems:
        raise SettingsError(problems)
    return settings


def load(cls: type[AnySettings], environ: Mapping[str, str]) -> AnySettings:
    """As `parse`, for a service's start: on any problem all are named on stderr and the process exits with 2."""
    with refusing():
        return parse(cls, environ)


@contextmanager
def refusing() -> Iterator[None]:
    """Names all problems of a SettingsError on stderr and exits with 2."""
    try:
        yield
    except SettingsError as error:
        lines = "".join(f"  {name}: {problem}\n" for name, problem in error.problems)
        sys.stderr.write(f"bad settings:\n{lines}")
        raise SystemExit(2) from None


def _tls_problems(settings: CommonSettings) -> Iterator[tuple[str, str]]:
    if settings.kafka_tls:
        try:
            client_context(settings.kafka_tls_ca_file, settings.kafka_tls_cert_file, settings.kafka_tls_key_file)
        except TlsFileError as error:
            yield variable(error.field), error.problem


def _is_secret(info: FieldInfo) -> bool:
    """Whether a field is a SecretStr, may be one, or holds some (`Json[dict[str, SecretStr]]`)."""
    return _mentions_secret(info.annotation)


def _mentions_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(map(_mentions_secret, get_args(annotation)))


def _value(field: str, info: FieldInfo, given: Mapping[str, str]) -> str | None:
    """What the environment says of a field; a secret may be in a file. Raises ValueError with the problem."""
    plain = given.get(variable(field))
    if not _is_secret(info):
        return plain
    path = given.get(f"{variable(field)}_FILE")
    if path is None:
        return plain
    if plain is not None:
        raise ValueError(f"is given twice, by value and by {variable(field)}_FILE; keep one")
    return read_secret(Path(path), f"{variable(field)}_FILE")


def read_secret(path: Path, name: str) -> str:
    """The text in a file, stripped. Raises ValueError, which calls the file what `name` names."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_SECRET_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise ValueError(f"the file that {name} names cannot be read: {reason}") from None
    if len(data) > MAX_SECRET_BYTES:
        raise ValueError(f"the file that {name} names is larger than {MAX_SECRET_BYTES} bytes")
    try:
        text = data.decode().strip()
    except UnicodeDecodeError:
        raise ValueError(f"the file that {name} names is not UTF-8 text") from None
    if not text:
        raise ValueError(f"the file that {name} names is empty")
    return text


def _names(cls: type[CommonSettings]) -> Iterator[str]:
    for field, info in cls.model_fields.items():
        yield variable(field)
        if _is_secret(info):
            yield f"{variable(field)}_FILE"


def _unknown(cls: type[CommonSettings], given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    known = set(_names(cls))
    others = tuple(variable(prefix) for prefix in SERVICE_PREFIXES if prefix != cls.own_prefix)
    for name in given:
        if name in known or name.startswith(others):
            continue
        close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
        hint = f"; did you mean {close[0]}?" if close else ""
        yield name, f"no setting is called that{hint}"


def _problem(cls: type[CommonSettings], detail: ErrorDetails) -> tuple[str, str]:
    if not detail["loc"]:
        return "settings", _plain(detail)
    field = str(detail["loc"][0])
    name = variable(field)
    if detail["type"] == "missing":
        also = f", or {name}_FILE" if _is_secret(cls.model_fields[field]) else ""
        return name, f"is required{also}"
    where = ".".join(str(step) for step in detail["loc"][1:])
    return name, f"{where}: {_plain(detail)}" if where else _plain(detail)


def _plain(detail: Mapping[str, Any] | ErrorDetails) -> str:
    return str(detail["msg"]).removeprefix("Value error, ")
