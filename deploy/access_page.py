"""`python -m deploy.access_page [--check]`: writes docs/kafka-access.md from schemas/access.py, or says that it is not
current."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from deploy import written_page
from schemas.access import EVERY_TOPIC, PEOPLE, SERVICES, Access
from schemas.topics import FRAMES_TOPICS, RAW_TOPICS, STATE_TOPICS

PAGE: Final = Path(__file__).parents[1] / "docs" / "kafka-access.md"
_INTRO: Final = """\
# Who may do what in Kafka

Written from [schemas/access.py](../schemas/access.py) by `python -m deploy.access_page`; do not edit. The least that
each needs: a topic that is not in its row it cannot see. The Helm chart makes a `KafkaUser` of each row.

Who reads, writes or compares a topic also describes it and its settings (`Describe`, `DescribeConfigs`), because a
start with settings other than ours is refused. Who joins a group may `Read` it, who watches one may `Describe` it. A
transaction is `Write` on ids that begin so. The prefix of the settings comes in front of every name.
"""
_USE: Final = {
    "topics": "`tidegate topics ensure`; may also create topics",
    "policy": "`tidegate policy …`, `tidegate automation …`",
    "audit": "`tidegate audit …`",
    "analyst": "`tidegate explain`, `tidegate incident`, `tidegate drill take-down`, `tidegate drill outage`",
    "leak-drill": "`tidegate drill leak`, which searches all that must hold nothing personal",
    "history": "`tidegate archive`, `backtest`, `ledger`, `verify`, which go back to raw events",
    "scaler": "KEDA, which adds workers where a group is behind",
}


def page() -> str:
    """The whole page."""
    return "\n".join([_INTRO, *_table("service", SERVICES, {}), *_table("for", PEOPLE, _USE)])


def _table(head: str, rows: Mapping[str, Access], use: Mapping[str, str]) -> list[str]:
    lines = [
        f"| {head} | reads | writes | compares | group | watches | transactions |",
        "|---|---|---|---|---|---|---|",
    ]
    return [*lines, *(_row(each, use.get(name)) for name, each in rows.items()), ""]


def _row(each: Access, use: str | None) -> str:
    ids = "" if each.transactions is None else f"`{each.transactions}{'' if each.one_transaction else '…'}`"
    cells = (
        f"`{each.name}`" + (f": {use}" if use else ""),
        _names(each.reads),
        _names(each.writes),
        "all topics" if each.compares == EVERY_TOPIC else _names(each.compares),
        "" if each.joins is None else f"`{each.joins}`",
        _names(each.watches),
        ids,
    )
    return f"| {' | '.join(cells)} |"


def _names(topics: Iterable[str]) -> str:
    """Some names, many of a kind in a word."""
    left, said = list(topics), []
    for word, kind in (("raw topics", RAW_TOPICS), ("all frames", FRAMES_TOPICS), ("all snapshots", STATE_TOPICS)):
        if {*kind} <= {*left}:
            said.append(word)
            left = [each for each in left if each not in kind]
    indicators = [each for each in left if each.startswith("indicators-")]
    if len(indicators) > 1:
        said.append("`indicators-…`")
        left = [each for each in left if each not in indicators]
    return ", ".join([*said, *(f"`{each}`" for each in left)])


def main() -> int:
    """0 when the page is current or written, 1 when `--check` finds that it is not."""
    return written_page.run("deploy.access_page", __doc__, PAGE, page)


if __name__ == "__main__":
    sys.exit(main())
