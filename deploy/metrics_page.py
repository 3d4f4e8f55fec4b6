"""`python -m deploy.metrics_page [--check]`: writes docs/metrics.md from the code, or says that it is not current."""

import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from prometheus_client.metrics import MetricWrapperBase

from deploy import written_page

PAGE: Final = Path(__file__).parents[1] / "docs" / "metrics.md"
SERVICES: Final = PAGE.parents[1] / "services"
ROOMS: Final = ("runtime", "gateway", "ingest", "indicators", "channel_control", "alerting", "console")
"""Each has modules called `metrics` or `…_metrics`; `runtime`'s are those of every service."""
UNITS: Final = (
    *(
        "seconds",
        "bytes",
        "ratio",
        "records",
        "targets",
        "channels",
        "products",
        "messages",
        "episodes",
        "holds",
        "cny",
    ),
    *("impressions", "clicks", "accounts", "purchases", "complaints", "alerts", "errors"),
)


class Told(NamedTuple):
    """A metric: who tells it, its name as it is asked for, its type, labels and what it says."""

    room: str
    name: str
    type: str
    labels: tuple[str, ...]
    says: str

    @property
    def unit(self) -> str:
        """As the name has it; a counter of no unit counts what its name says."""
        words = self.name.removesuffix("_total").partition("_per_")[0].split("_")
        return next((unit for unit in UNITS if words[-1] == unit), "")


class Label(NamedTuple):
    """What a label says, and how many values it can have."""

    says: str
    most: int


LABELS: Final[dict[str, Label]] = {
    "acknowledged": Label("`yes`, `no`", 2),
    "answer": Label("what came back: a class of HTTP status, `ok`, `none`, or the kind of failure", 24),
    "by": Label("the indicator that placed a hold; `person`, whoever it was", 33),
    "call": Label("`ask`, `put`", 2),
    "channel": Label("a channel; the thousand of which there is most to tell", 1_000),
    "command": Label("an order's word", 24),
    "fate": Label("`folded`, `too_late`", 2),
    "figure": Label("one of the twenty, as docs/figures.md has them", 20),
    "indicator": Label("the registry's; of what the indicators say of themselves, the name of the trouble", 32),
    "kind": Label("of a hold: `throttle`, `pause`, `freeze`, `take_down`", 4),
    "name": Label("of a channel, product or segment; `all` for the whole: 200 of a scope, the busiest", 601),
    "outcome": Label("one of the words that the metric names", 16),
    "part": Label("of a process, as `/readyz` or its log names it; its partitions are parts", 256),
    "partition": Label("a number; the settings fix how many, 4 unless told otherwise", 128),
    "platform": Label("of the list of platforms; `default` where there is none", 32),
    "reason": Label("`no_json`, `missing_field`, `bad_value`, … as `services/ingest/reading/reasons.py` has them", 10),
    "receiver": Label("of the receivers' file", 64),
    "route": Label("the template of a route, never the path; `other` for what has none", 128),
    "sent": Label("`yes`, `no`", 2),
    "service": Label("a service's name, the indicators' with their subject", 16),
    "severity": Label("`info`, `warning`, `critical`", 3),
    "state": Label("one of the words that the metric names", 16),
    "status": Label("an HTTP status, or what an alert's fact says", 24),
    "scope": Label("`all`, `channel`, `product`, `segment`", 4),
    "subject": Label(
        "a kind: `channel`, `product`, `actor`, …; of a reading `channel:douyin`, 1,000 an indicator", 1000
    ),
    "target_kind": Label("what a hold is on: `channel`, `promotion`, `content`, `actor`, `account`, …", 12),
    "told": Label("`yes`, `no`", 2),
    "topic": Label("of the registry of topics", 32),
    "verdict": Label("`calm`, `warning`, `breach`, `unsure`; of what is only counted also `open`", 5),
    "version": Label("the release", 1),
}
"""No label ever carries an address, an account, an id or a text."""

_INTRO: Final = """\
# The metrics

Written from the code by `python -m deploy.metrics_page`; do not edit. Every service answers `GET /metrics` on its HTTP
port in Prometheus' text format, or in OpenMetrics where that is asked for. The names are the registry: what is not here
is not told. Beside them each process tells what the client library knows of it (`process_cpu_seconds_total`,
`process_resident_memory_bytes`, `process_open_fds`, …), and Prometheus adds `job` (the service) and `instance`.

Counters are of one process and begin at 0 with it: use `rate()` or `increase()`. Gauges that name a `partition` are
told by its owner alone, so `sum by (job)` is the whole. What is drawn of them:
[dashboards.md](dashboards.md); when somebody is called: [runbooks.md](runbooks.md).
"""


def registry() -> list[Told]:
    """Every metric there is."""
    return [told for room in ROOMS for told in _told_by(room)]


def _told_by(room: str) -> Iterator[Told]:
    for path in sorted((SERVICES / room).glob("*metrics.py")):
        yield from _told_in(room, importlib.import_module(f"services.{room}.{path.stem}"))


def _told_in(room: str, module: ModuleType) -> Iterator[Told]:
    for value in vars(module).values():
        is_own = getattr(value, "__module__", None) == module.__name__
        if inspect.isclass(value) and is_own and hasattr(value, "collect") and not inspect.isabstract(value):
            yield from _of(room, value())  # it has been told of nobody, and so has no numbers
        elif isinstance(value, MetricWrapperBase):
            yield from _of(room, value)


def _of(room: str, collector: Any) -> Iterator[Told]:
    for family in collector.collect():
        labels = getattr(family, "_labelnames", ()) or getattr(collector, "_labelnames", ())
        if family.type == "info":
            labels = ("version",)
        suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
        yield Told(room, family.name + suffix, family.type, tuple(labels), family.documentation)


def page() -> str:
    """The whole page."""
    told = registry()
    parts = [line for room in ROOMS for line in _section(room, [each for each in told if each.room == room])]
    return "\n".join([_INTRO, *parts, *_labels(told)])


def _section(room: str, told: list[Told]) -> Iterator[str]:
    yield f"## {'Every service' if room == 'runtime' else room}"
    yield ""
    yield "| name | type | labels | unit | what it says |"
    yield "|---|---|---|---|---|"
    for each in sorted(told, key=lambda one: one.name):
        labels = ", ".join(f"`{label}`" for label in each.labels)
        yield f"| `{each.name}` | {each.type} | {labels} | {each.unit} | {each.says} |"
    yield ""


def _labels(told: list[Told]) -> Iterator[str]:
    used = {label for each in told for label in each.labels}
    yield "## Labels"
    yield ""
    yield "Each has few values, so that the number of series stays small whatever comes in; a test holds them to it."
    yield ""
    yield "| label | its values | at most |"
    yield "|---|---|---|"
    yield from (f"| `{name}` | {label.says} | {label.most} |" for name, label in LABELS.items() if name in used)
    yield ""


def main() -> int:
    """0 when the page is current or written, 1 when `--check` finds that it is not."""
    return written_page.run("deploy.metrics_page", __doc__, PAGE, page)


if __name__ == "__main__":
    sys.exit(main())
