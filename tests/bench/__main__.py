"""`make bench`: what an event costs, how fast a command comes, how long a recovery takes. Writes build/bench.json.

make bench ARGS='--rounds 1 --events 200000'
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.bench.rounds import Round, run_round

GOALS: Final = {
    "quiet_cpu_percent": 8.0,
    "trickle_us_per_event": 50.0,
    "p_p99": 150.0,
    "confirmed_p99_ms": 150.0,
    "million_addresses_mb": 1024.0,
}
"""At most so much at the median; besides, five times the floor for an event."""
MOST_FLOORS: Final = 5.0


def median(values: Sequence[float]) -> float:
    """The middle one, to four digits."""
    return float(f"{statistics.median(values):.4g}")


def summary(rounds: Sequence[Round]) -> dict[str, Any]:
    """Medians in the shape that build/bench.json promises, and the spread of each figure."""
    names = rounds[0].services
    services = {name: {key: median([r.services[name][key] for r in rounds]) for key in names[name]} for name in names}
    single = {key: median([r.figures[key] for r in rounds]) for key in rounds[0].figures if not key.startswith("p")}
    latency = {key: median([r.figures[f"p_{key}"] for r in rounds]) for key in ("p50", "p99")}
    spread = {
        key: [min(values), max(values)] for key in rounds[0].figures if (values := [r.figures[key] for r in rounds])
    }
    return {
        "services": services,
        "total": {key: median([r.total[key] for r in rounds]) for key in rounds[0].total},
        "latency_ms": latency,
        **single,
        "rounds": len(rounds),
        "spread": spread,
    }


def show(result: dict[str, Any]) -> None:
    """The table for people."""
    console = Console()
    table = Table(title=f"Medians of {result['rounds']} rounds")
    keys = list(result["total"])
    table.add_column("service")
    for key in keys:
        table.add_column(key, justify="right")
    for name, figures in [*result["services"].items(), ("total", result["total"])]:
        table.add_row(name, *(f"{figures[key]:,.4g}" for key in keys))
    console.print(table)
    others = Table()
    for key in ("figure", "median", "spread", "goal"):
        others.add_column(key, justify="left" if key == "figure" else "right")
    for key, (low, high) in result["spread"].items():
        value = result["latency_ms"][key[2:]] if key.startswith("p_") else result[key]
        others.add_row(key, f"{value:,.4g}", f"{low:,.4g} – {high:,.4g}", _against(value, GOALS.get(key)))
    console.print(others)
    console.print("The load goes straight to Kafka; what an event costs in the gateway is gateway_us_per_event.")
    total = result["total"]["cpu_us_per_event"]
    console.print(
        f"{total / result['floor_us']:.2f} × the floor ({_against(total / result['floor_us'], MOST_FLOORS)}), "
        f"{result['faust_us'] / total:.1f} × cheaper than plain Faust"
    )


def _against(value: float, goal: float | None) -> str:
    return "" if goal is None else f"{'✓' if value <= goal else '✗'} ≤ {goal:,g}"


def main() -> int:
    """0 once measured, whatever the figures are: they are this machine's as much as ours."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--events", type=int, default=600_000, help="of the full load")
    parser.add_argument("--seconds", type=float, default=30.0, help="of each load at a rate")
    arguments = parser.parse_args()
    rounds = [
        asyncio.run(run_round(number, arguments.events, arguments.seconds)) for number in range(1, arguments.rounds + 1)
    ]
    result = summary(rounds)
    show(result)
    path = Path("build/bench.json")
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    print(f"written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
