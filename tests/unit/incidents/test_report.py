"""The report at the end of an incident: what it says in both languages, and that nothing in it becomes markup."""

from dataclasses import replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from schemas.alerts import AlertState
from schemas.audit import AuditRecord, Outcome
from schemas.base import Bilingual, Window
from schemas.channels import ChannelState, FourEyesRequest, Hold, Override, Platform, Ramp, RampState, TargetStatus
from schemas.commands import IndicatorsWord, PersonsWord, Report, Switch
from schemas.directory import Directory
from services.incidents import report_words as words
from services.incidents.grouping import group, seen
from services.incidents.held import held
from services.incidents.incident import incident_of
from services.incidents.markdown import markdown
from services.incidents.material import Material, of_incident
from services.incidents.page import page
from services.incidents.report import report
from services.incidents.saying import Language
from services.incidents.traffic import Before, Traffic
from services.runtime.ids import derive
from tests.unit.incidents.samples import NOON, alert, evidence

FUND: dict[str, Any] = {"products": {"fund-a": 18}}
HOLD = derive("hold")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def record(what: str, minutes: float, outcome: str = "done", **fields: Any) -> AuditRecord:
    known: dict[str, Any] = {
        "audit_id": derive(what, str(minutes)),
        "at": at(minutes),
        "writer": "channel_control:0",
        "who": "indicator:complaint_rate",
        "what": what,
        "target": "channel:a",
        "outcome": outcome,
    }
    return AuditRecord(**known | fields)


def paused(minutes: float, left: float = 0.0, what: str = "pause", **fields: Any) -> AuditRecord:
    return record(what, minutes, detail={"status": "paused", "left": left}, holds=[HOLD], **fields)


RATE = evidence(
    "complaint_rate",
    "channel:a",
    NOON,
    FUND,
    window=Window(from_=at(-24 * 60), to=NOON),
    samples={"purchases": 240, "complaints_opened": 20},
)
A = alert("a", 0, "complaint_rate", evidence=RATE, acknowledged_by="li.wei")
B = alert("b", 20, detail=FUND)
TOLD = {"receiver": "night-shift", "type": "alert.opened"}
AUDIT = [
    paused(1, alert_id=A.alert_id, why="5.0% complaints per purchase"),
    record("confirmed", 2, "confirmed", who="reconciler", alert_id=None, holds=[HOLD]),
    record("acknowledge", 3, who="person:li.wei", alert_id=A.alert_id, detail={"note": "calling the fund's desk"}),
    record("deliver", 4, "delivered", who="alerting", alert_id=A.alert_id, detail=TOLD),
    record("deliver", 21, "failed", who="alerting", alert_id=B.alert_id, target="channel:b", why="gave up: 500"),
    paused(91, 1.0, "resume", who="person:li.wei"),
    record("pause", 5, target="channel:elsewhere", alert_id=derive("other"), detail={"left": 0.0}),
]


def material(*alerts: AlertState, states: tuple[ChannelState, ...] = (), minutes: float = 200) -> Material:
    known = {each.alert_id: each for each in alerts}
    (one,) = group(map(seen, alerts)).groups.values()
    incident = incident_of(one, known.get, Directory(), at(minutes))
    assert incident is not None
    return Material(incident, alerts, AUDIT, states, ZoneInfo("Asia/Shanghai"), at(minutes))


def standing(approval: Any = "none", confirmed: Any = None, ramp: Ramp | None = None, **fields: Any) -> ChannelState:
    hold = Hold(
        ramp=ramp,
        hold_id=HOLD,
        kind="pause",
        alert_id=B.alert_id,
        since=at(21),
        by="indicator:complaint_volume",
        approval=approval,
        decide_by=at(261) if approval == "waiting" else None,
    )
    platform = Platform(wanted="paused", confirmed=confirmed)
    return ChannelState(
        target="channel:b", generation=1, status="paused", factor=0.0, holds=[hold], platform=platform, **fields
    )


def test_targets_are_called_as_in_the_directory() -> None:
    names = {name: {"name": {"en": f"The {name} channel", "zh": f"{name} 渠道"}} for name in ("a", "b")}
    directory = Directory.model_validate({"channels": names})
    told = replace(material(A, B, states=(standing(),)), directory=directory)
    text = markdown(report(told, "en"))
    assert "pause The a channel" in text
    assert "The b channel is still held" in text
    assert "channel:" not in text


def test_it_tells_what_was_seen_and_done_by_whom_and_what_is_left() -> None:
    text = markdown(report(material(A, B, states=(standing(),)), "en"))
    for said in (
        "# Incident report: a in trouble (and one more alert)",
        "A suspicion, by what the alerts share: product fund-a; it began with: a in trouble.",
        "| 2026-11-23 12:00:00 | a in trouble | 20 / 20 | default/7 | li.wei | still |",
        "| 2026-11-23 12:01:00 | Tidegate (complaint\\_rate) | pause channel:a | done | 5.0% complaints per purchase |",
        "| 2026-11-23 12:02:00 | the platform | state of channel:a | confirmed |  |",
        "| 2026-11-23 12:03:00 | li.wei | acknowledge the alert | done | calling the fund's desk |",
        "| 2026-11-23 12:04:00 | Tidegate (alerting) | tell night-shift: it began | delivered |  |",
        "| channel:a | 2026-11-23 12:01:00 | 2026-11-23 13:31:00 | 0% | 15 purchases |",
        "| li.wei | let channel:a go on | 1 |",
        "- Nobody has acknowledged: b in trouble",
        "- channel:b is still held (pause channel:b) since 2026-11-23 12:21:00.",
        "- The platform has not confirmed that channel:b is paused.",
        "- A message could not be delivered at 2026-11-23 12:21:00: gave up: 500",
        f"- tidegate explain {A.alert_id}",
    ):
        assert said in text
    assert "elsewhere" not in text
    assert "Nobody has acknowledged: a" not in text


def test_what_opens_by_itself_what_others_must_agree_to_and_who_keeps_it_running() -> None:
    override = Override(override_id=derive("o"), by="person:zhao", since=at(30), until=at(400), reason="a launch")
    request = FourEyesRequest(
        request_id=derive("r"),
        command="resume",
        by="person:li.wei",
        since=at(40),
        decide_by=at(280),
        hold_ids=[HOLD],
        approvals_needed=2,
        approved_by=["person:chen"],
        reason="all is well",
    )
    opening = Ramp(state="opening", step=0.25, next_at=at(60), wait_s=600)
    state = standing(ramp=opening, confirmed="paused", override=override, requests=[request])
    text = markdown(report(material(A, B, states=(state,)), "en"))
    for said in (
        "It opens by itself: 25% now, the next step at 2026-11-23 13:00:00.",
        "li.wei has asked: let channel:b go on; others decide until 2026-11-23 16:40:00; agreed: 1/2.",
        "zhao keeps channel:b running until 2026-11-23 18:40:00.",
    ):
        assert said in text
    assert "has not confirmed" not in text


def test_every_word_and_outcome_of_the_audit_is_told_in_both_languages() -> None:
    said = get_args(PersonsWord) + get_args(Switch) + get_args(IndicatorsWord) + get_args(Report)
    assert set(said) <= set(words.WORDS)
    assert set(get_args(Outcome)) == set(words.OUTCOMES)
    assert set(get_args(RampState)) == set(words.RAMPS)
    assert set(get_args(TargetStatus)) == set(words.STATUSES)


def test_it_says_the_same_in_chinese() -> None:
    text = markdown(report(material(A, B, states=(standing("waiting"),)), "zh"))
    for said in (
        "# 事件报告：a 异常（另有 1 条告警）",
        "根据告警的共同之处推测：产品 fund-a；最早的告警：a 异常。",
        "| 系统（complaint\\_rate） | 暂停 channel:a | 已生效 |",
        "购买 15 笔",
        "暂停 channel:b 等待人工批准，期限 2026-11-23 16:21:00；已同意 0/1。",
        "无人确认：b 异常",
    ):
        assert said in text
    assert not [line for line in text.splitlines() if line.startswith("#") and line.isascii()]


def test_what_held_traffic_cost_is_unknown_where_no_evidence_tells() -> None:
    found = held(of_incident(material(A, B).incident, AUDIT), AUDIT, [B], at(200))
    assert [(each.target, each.since, each.until, each.kept_back) for each in found] == [
        ("channel:a", at(1), at(91), {})
    ]
    b_only = report(material(A.model_copy(update={"evidence": B.evidence}), B), "en")
    assert "| unknown: neither evidence nor hourly figures say how much traffic it had | – |" in markdown(b_only)


HOURS = Traffic({"clicks": 800.0, "purchases": 99.0, "accounts_opened": 12.0, "spend": 2400.0}, 24)


def asked(found: Traffic | None) -> tuple[Before, list[tuple[str, datetime]]]:
    """What answers so, and of what it was asked."""
    questions: list[tuple[str, datetime]] = []

    def before(target: str, at: datetime) -> Traffic | None:
        questions.append((target, at))
        return found

    return before, questions


@pytest.mark.parametrize(
    ("language", "row"),
    [
        (
            "en",
            "| 1,200 clicks, 148 purchases, 18 accounts, 3,600 CNY of spend "
            "| its figures, mean of the full hours before it was held (24) |",
        ),
        (
            "zh",
            "| 点击 1,200 次, 购买 148 笔, 开户 18 个, 投放 3,600 元 | 处置前 24 个整点小时的数据均值 |",
        ),
    ],
)
def test_what_a_pause_for_many_complaints_cost_is_told_by_the_hours_before(language: Language, row: str) -> None:
    volume = alert("a", 0, "complaint_volume")
    before, questions = asked(HOURS)
    assert row in markdown(report(replace(material(volume), before=before), language))
    assert questions == [("channel:a", at(1))]


def test_what_evidence_counts_goes_before_the_hours() -> None:
    before, _ = asked(HOURS)
    text = markdown(report(replace(material(A), before=before), "en"))
    assert "| 1,200 clicks, 15 purchases, 18 accounts, 3,600 CNY of spend | the evidence of its alerts, mean of" in text
    assert "for the rest its figures, mean of the full hours before it was held (24) |" in text
    before, _ = asked(Traffic({"purchases": 99.0}, 24))
    text = markdown(report(replace(material(A), before=before), "en"))
    assert "| 15 purchases | the evidence of its alerts, mean of the window |" in text


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", ("| at most 1,200 clicks,", "of its product on all")), ("zh", ("| 至多：点击 1,200 次", "取该产品全部"))],
)
def test_what_is_no_more_than_a_bound_is_told_as_one(language: Language, said: tuple[str, ...]) -> None:
    before, _ = asked(replace(HOURS, at_most=True))
    text = markdown(report(replace(material(alert("a")), before=before), language))
    assert [each for each in said if each not in text] == []


def test_all_stretches_of_a_target_are_measured_by_the_hours_before_the_first() -> None:
    audit = [paused(0, 0.5), paused(60, 0.0)]
    before, questions = asked(HOURS)
    found = held(audit, audit, [], at(120), before)
    assert [each.kept_back["clicks"] for each in found] == pytest.approx([400, 800])
    assert questions == [("channel:a", at(0))]


def test_a_channel_that_was_slowed_and_then_stopped_is_two_stretches() -> None:
    audit = [paused(0, 0.5), paused(60, 0.0), record("confirmed", 61, "confirmed"), paused(90, 0.0)]
    found = held(audit, audit, [A], at(120))
    assert [(each.since, each.until, each.left) for each in found] == [(at(0), at(60), 0.5), (at(60), None, 0.0)]
    assert [each.kept_back["purchases"] for each in found] == pytest.approx([5, 10])


@pytest.mark.parametrize("newest_first", [False, True])
def test_orders_that_were_appended_in_one_batch_are_told_in_their_order(newest_first: bool) -> None:
    orders = [
        paused(0, left, generation=number, alert_id=A.alert_id, audit_id=derive(str(number)))
        for number, left in enumerate((0.5, 0.2, 0.0), 1)
    ]
    text = markdown(report(replace(material(A), audit=orders[::-1] if newest_first else orders), "en"))
    held_rows = [line for line in text.splitlines() if line.startswith("| channel:a |")]
    assert [row.split(" | ")[1:4] for row in held_rows] == [["2026-11-23 12:00:00", "still", "0%"]]


def test_a_closed_incident_with_nothing_left_says_so() -> None:
    done = [
        each.model_copy(update={"status": "resolved", "resolved_at": at(60), "acknowledged_by": "li.wei"})
        for each in (A, B)
    ]
    closed = replace(material(*done), audit=[each for each in AUDIT if each.outcome != "failed"])
    text = markdown(report(closed, "en"))
    assert "Closed at 2026-11-23 14:00:00." in text
    assert "## Open actions\n\nNone." in text


class _Tags(HTMLParser):
    """Every tag that a page opens, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_what_comes_from_outside_is_never_markup() -> None:
    evil = "<script>alert(1)</script> {x} {0} [x](javascript:1) | `b` \n# y"
    bad = A.model_copy(update={"title": Bilingual(en=evil, zh=evil), "acknowledged_by": evil})
    document = report(material(bad), "en")
    tags = _Tags()
    tags.feed(page(document))
    assert "script" not in tags.tags
    assert tags.attributes <= {"lang", "charset", "name", "content"}, "nothing is loaded and nothing runs"
    assert any("<script>alert(1)</script>" in text for text in tags.texts)
    text = markdown(document)
    assert "<script>" not in text.replace("\\<script", "")
    assert "[x](" not in text.replace("\\[x\\](", "")
    (row,) = [line for line in text.splitlines() if line.startswith("| 2026-11-23 12:00:00 | \\<script")]
    assert row.replace("\\|", "").count("|") == 7, "as many cells as the head has"
