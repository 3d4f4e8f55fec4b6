"""The story of an alert, as it is told: `tests/data/explain.<language>.txt` is what a compliance officer would read."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from schemas.alerts import AlertFact, AlertState
from schemas.audit import AuditRecord
from schemas.base import Bilingual
from schemas.channels import ChannelState
from schemas.commands import Command
from schemas.directory import Directory
from services.incidents.explain import Story, about, chapters, explain
from services.incidents.saying import Language
from services.indicators.registry import all_rules
from services.runtime.ids import derive
from tests.unit.cli.proof.test_verify import played

DATA = Path(__file__).parents[3] / "data"
HOLD = derive("hold")


def paused() -> Command:
    """A pause for complaints, as the services give it."""
    rule = next(rule for rule in all_rules() if rule.id == "complaint_volume")
    return played(rule, rule.examples[0]).commands[0]


def audit(number: int, at: datetime, **fields: Any) -> AuditRecord:
    known: dict[str, Any] = {
        "audit_id": derive("audit", str(number)),
        "at": at,
        "writer": "channel_control:0",
        "target": "channel:douyin",
    }
    return AuditRecord(**known | fields)


def story() -> Story:
    """Told, paused, confirmed, acknowledged, resumed."""
    command = paused()
    assert command.reason is not None
    began, alert_id = command.issued_at, str(command.alert_id)
    later = [began + timedelta(seconds=n) for n in range(10)]
    fact = AlertFact(
        alert_id=alert_id,
        writer="indicators:channel:0",
        seq=1,
        at=began,
        status="open",
        title=command.reason,
        summary=Bilingual(en="20 complaints were opened.", zh="共收到投诉 20 件。"),
    )
    over = fact.model_copy(
        update={
            "seq": 2,
            "at": later[9],
            "status": "resolved",
            "title": None,
            "summary": Bilingual(en="The day is over.", zh="当日结束。"),
        }
    )
    own: dict[str, Any] = {"alert_id": alert_id, "holds": [HOLD]}
    told: dict[str, Any] = {"writer": "alerting:0", "who": "alerting", "what": "deliver", "alert_id": alert_id}
    records = [
        audit(5, later[5], who="person:li.wei", what="resume", outcome="done", holds=[HOLD], detail={"note": "fixed"}),
        audit(1, later[1], who=command.issued_by, what="pause", outcome="done", why="20 complaints", **own),
        audit(2, later[2], who="reconciler", what="confirmed", outcome="confirmed", why="it says paused", holds=[HOLD]),
        audit(3, later[3], outcome="delivered", detail={"type": "alert.opened"}, **told),
        audit(4, later[4], who="person:li.wei", what="acknowledge", outcome="done", alert_id=alert_id),
        audit(
            6, later[6], who="person:wang", what="resume", outcome="refused", why="it has changed", alert_id=alert_id
        ),
        audit(7, later[7], outcome="failed", detail={"type": "alert.resolved"}, **told),
        audit(8, later[8], who="person:wang", what="pause", outcome="done", holds=[derive("another")]),
    ]
    state = ChannelState.model_validate_json(
        '{"target": "channel:douyin", "generation": 2, "status": "running", "factor": 1.0,'
        '"platform": {"wanted": "running", "confirmed": "running"}}'
    )
    alert = AlertState(
        alert_id=alert_id,
        status="resolved",
        severity="critical",
        indicator="complaint_volume",
        subject="channel:douyin",
        level=1,
        title=command.reason,
        summary=fact.summary or command.reason,
        opened_at=began,
        resolved_at=later[9],
        event_time=command.event_time,
        value=20.0,
        threshold=20.0,
        evidence=command.evidence,
    )
    return Story(alert, [fact, over], [command], about(alert_id, records), [state], ZoneInfo("Asia/Shanghai"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_story_reads_like_this(language: Language) -> None:
    told = "\n".join(explain(story(), language)) + "\n"
    digest = story().commands[0].evidence
    assert digest is not None
    assert digest.code is not None
    assert told.replace(digest.code.digest, "CODE") == (DATA / f"explain.{language}.txt").read_text("utf-8")


def test_what_belongs_to_another_alert_is_left_out() -> None:
    found = about(str(story().alert.alert_id), story().audit)
    assert [each.what for each in found] == [
        "pause",
        "confirmed",
        "deliver",
        "acknowledge",
        "resume",
        "resume",
        "deliver",
    ]


def test_what_several_people_have_to_agree_to_is_not_told_as_done() -> None:
    asked = story()
    waits: dict[str, Any] = {"outcome": "waiting", "holds": [HOLD]}
    records = [
        audit(1, asked.alert.opened_at, who="person:li", what="resume", **waits),
        audit(2, asked.alert.opened_at, who="person:wang", what="approve", **waits),
        audit(3, asked.alert.opened_at, who="indicator:cac_spike", what="throttle", **waits),
    ]
    told = "\n".join(explain(replace(asked, audit=records), "en"))
    assert "  li asked to let channel:douyin go on\n" in told
    assert "  wang agreed about channel:douyin, others have yet to\n" in told
    assert "  Tidegate: throttle channel:douyin: waits for a person's approval\n" in told


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "Those behind “team-lead” were told that it got worse"), ("zh", "已通知“team-lead”：告警升级")],
)
def test_who_was_called_is_told_by_the_name_of_the_receiver(language: Language, line: str) -> None:
    asked = story()
    detail = {"type": "alert.updated", "receiver": "team-lead"}
    record = audit(1, asked.alert.opened_at, who="alerting", what="deliver", outcome="delivered", detail=detail)
    assert f"  {line}" in "\n".join(explain(replace(asked, audit=[record]), language))


@pytest.mark.parametrize(("language", "name"), [("en", "Tiktok of China"), ("zh", "抖音")])
def test_targets_are_called_as_in_the_directory(language: Language, name: str) -> None:
    channel = {"name": {"en": "Tiktok of China", "zh": "抖音"}}
    directory = Directory.model_validate({"channels": {"douyin": channel}})
    sections = list(chapters(replace(story(), directory=directory), language))
    assert any(name in line for section in sections for line in section.listed)
    assert not any("channel:douyin" in line for section in sections for line in section.listed)


def test_an_alert_without_orders_and_evidence_is_told_too() -> None:
    bare = story()
    alert = bare.alert.model_copy(update={"evidence": None, "resolved_at": None, "status": "open"})
    lines = list(explain(Story(alert, [], [], [], [], bare.zone), "en"))
    assert lines[-1] == "Still open."
