"""The receivers of a settings file, each with a name that routes use.

    - name: on-call
      kind: pagerduty
      routing_key: env:PAGERDUTY_KEY       # a variable, or
    - name: chat
      kind: feishu
      url: file:feishu-url                 # a file, beside this one unless its path begins with /
      secret: file:feishu-secret

Checked at start, all problems at once. What a file holds is read once.
"""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from schemas.problems import problems_of
from services.alerting.receivers.alertmanager import Alertmanager
from services.alerting.receivers.dingtalk import Dingtalk
from services.alerting.receivers.email import Email
from services.alerting.receivers.feishu import Feishu
from services.alerting.receivers.pagerduty import Pagerduty
from services.alerting.receivers.receiver import Receiver
from services.alerting.receivers.slack import Slack
from services.alerting.receivers.webhook import Webhook
from services.alerting.receivers.wecom import Wecom
from services.runtime.files import content_of

DEFAULT: Final = "default"
"""Where messages go that no route sends elsewhere."""

AnyReceiver = Annotated[
    Webhook | Slack | Pagerduty | Feishu | Dingtalk | Wecom | Alertmanager | Email, Field(discriminator="kind")
]
_LIST: Final[TypeAdapter[list[Any]]] = TypeAdapter(list[Any])
_ONE: Final[TypeAdapter[Receiver]] = TypeAdapter(AnyReceiver)


def read_book(path: Any) -> dict[str, Receiver]:
    """The receivers in a file, for a validator of settings. Raises ValueError with what is wrong with the file."""
    return parse_book(content_of(path), os.environ, Path(path).parent)


def parse_book(data: bytes, environ: Mapping[str, str], folder: Path) -> dict[str, Receiver]:
    """The receivers in a YAML text. Raises ValueError, which names places and fields, never a value."""
    try:
        entries = _LIST.validate_python(yaml.safe_load(data.decode()))
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise ValueError("is not YAML" + (f": line {mark.line + 1}" if mark else "")) from None
    except ValidationError:
        raise ValueError("is not a list of receivers") from None
    context = {"environ": environ, "folder": folder}
    problems: list[str] = []
    receivers: list[Receiver] = []
    for place, entry in enumerate(entries):
        try:
            receivers.append(_ONE.validate_python(entry, context=context))
        except ValidationError as error:
            problems += _told(_called(place, entry), error)
    problems += [f"{name}: is there twice" for name in _twice(each.name for each in receivers)]
    if problems:
        raise ValueError("; ".join(problems))
    return {receiver.name: receiver for receiver in receivers}


def _called(place: int, entry: Any) -> str:
    name = entry.get("name") if isinstance(entry, dict) else None
    return name if isinstance(name, str) and len(name) < 64 and name.isprintable() else f"receiver {place + 1}"


def _told(name: str, error: ValidationError) -> Iterator[str]:
    """Places begin with the kind, unless there is none that is known."""
    for problem, detail in zip(problems_of(error, skip=0), error.errors(include_input=False), strict=False):
        steps = problem.field.split(".")
        field = ".".join(steps[1:]) if len(detail["loc"]) > 1 else problem.field
        yield f"{name}: {field or 'the entry'} {problem.problem}"


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
