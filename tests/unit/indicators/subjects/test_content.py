"""Content is judged when it is published and taken down at once; what stands after half an hour is for people."""

import json
from typing import Any

import pytest

from schemas.audit import AuditRecord
from schemas.base import from_ms
from schemas.commands import Command
from schemas.policy import Policy
from services.channel_control.machine import MAX_COMMAND_BYTES, ControlMachine
from services.console.state.views import Audit
from services.indicators.machine import build
from services.indicators.rules.content_violation import SHOWN
from services.indicators.subjects import content
from services.runtime.machines.machine import Record
from services.scanning.fingerprints import fingerprint
from services.scanning.report import Figures, Material, Report
from services.scanning.scanner import Scanner
from tests.support.indicator_log import TEN, policy
from tests.unit.indicators.world import HOUR, MINUTE, SECOND, World

PROMPTS = "投资有风险，历史业绩不代表未来表现。"
BAD = f"本产品稳赚不赔！{PROMPTS}"
GOOD = f"本产品有盈有亏！{PROMPTS}"
TAKE_DOWN = ("take_down", "content:c-1", 1)
CALL = ("escalate", "content:c-1", 2)


def publish(world: World, body: str, at: float = 0, channel: str = "douyin", **fields: object) -> None:
    said = {"channel_id": channel, "content_id": "c-1", "body": body, "reviewers": ["wang", "li"], **fields}
    world.raw("content_published", at, **said)


def remove(world: World, at: float, channel: str = "douyin") -> None:
    world.raw("content_removed", at, channel_id=channel, content_id="c-1")


class Restarts:
    """What snapshots have written; a machine that dies after one is followed by another."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.stored: dict[bytes, bytes] = {}

    def snapshot(self) -> set[bytes]:
        """Writes one; which records are gone."""
        changed = dict(self._world.machine.changed())
        gone = {key for key, value in changed.items() if value is None}
        kept = {key: value for key, value in changed.items() if value is not None}
        self.stored = {key: value for key, value in {**self.stored, **kept}.items() if key not in gone}
        return gone

    def restart(self) -> None:
        """After a snapshot."""
        self.snapshot()
        self._world.machine = build("content", 0)
        self._world.machine.load(sorted(self.stored.items(), reverse=True))


def statuses(world: World) -> list[str | None]:
    return [fact.status for fact in world.facts]


@pytest.mark.parametrize(
    ("body", "fields", "kinds"),
    [
        (BAD, {}, ["phrase"]),
        ("本产品保 本！穩賺不賠。" + PROMPTS, {}, ["phrase", "phrase"]),
        ("本产品不保本，不承诺保本保收益。" + PROMPTS, {}, []),
        ("投资有风险。", {}, ["missing_prompt"]),
        ("", {}, ["missing_prompt", "missing_prompt"]),
        (PROMPTS, {"disclosure_share": 0.15}, []),
        (PROMPTS, {"disclosure_share": 0.1499}, ["disclosure_share"]),
        (PROMPTS, {"disclosure_font_ratio": 1.5}, []),
        (PROMPTS, {"disclosure_font_ratio": 1.49}, ["disclosure_font"]),
        (PROMPTS, {"reviewers": ["wang", "wang", "wang"]}, ["reviewers"]),
        (PROMPTS, {"reviewers": []}, ["reviewers"]),
        (PROMPTS, {"reviewed_fingerprint": fingerprint(PROMPTS)}, []),
        (PROMPTS, {"reviewed_fingerprint": fingerprint(BAD)}, ["tampered"]),
        ("稳赚不赔", {"disclosure_share": 0.1}, ["phrase", "missing_prompt", "missing_prompt", "disclosure_share"]),
    ],
)
def test_what_is_a_violation(body: str, fields: dict[str, Any], kinds: list[str]) -> None:
    world = World("content")
    publish(world, body, **fields)
    assert world.ordered() == [TAKE_DOWN] * bool(kinds)
    told = [fact.evidence.detail["findings"] for fact in world.facts if fact.evidence]
    assert [[each["kind"] for each in findings] for findings in told] == [kinds] * bool(kinds)
    assert [fact.value for fact in world.facts] == [len(kinds)] * bool(kinds)


def test_a_word_in_shadow_and_the_policys_own_figures() -> None:
    document = {
        "version": 1,
        "content": {"phrases": [{"text": "第一", "shadow": True}], "prompts": []},
        "indicators": {"content_violation": {"thresholds": {"reviewers": 1}}},
    }
    world = World("content", Policy.model_validate(document))
    publish(world, "第一，稳赚不赔", reviewers=["wang"])
    assert world.facts == []
    publish(world, "第一，稳赚不赔", MINUTE, reviewers=[])
    assert world.ordered() == [TAKE_DOWN]


def test_people_read_what_is_wrong_where_and_how_it_might_be_worded() -> None:
    world = World("content")
    publish(world, f"本产品稳\u200b赚不赔！{PROMPTS}", product_id="p-1", disclosure_share=0.1)
    (fact,), (command,) = world.facts, world.commands
    assert (fact.severity, fact.level, fact.value, fact.threshold) == ("critical", 1, 2, 1)
    assert fact.title is not None and fact.summary is not None and fact.evidence is not None
    assert fact.title.en.startswith("Content c-1 on douyin: “稳 赚不赔” stands for the forbidden phrase “稳赚不赔”;")
    assert fact.title.zh.startswith("内容 c-1（douyin）：") and fact.title.zh.endswith("另有 1 处问题")
    assert "Besides: Risk disclosure is 10.0% of the content" in fact.summary.en
    assert "Tidegate orders now: take down content:c-1." in fact.summary.en
    detail = fact.evidence.detail
    assert (detail["channels"], detail["in_violation"], detail["product"]) == (["douyin"], ["douyin"], "p-1")
    assert detail["proposed"] == f"本产品有盈有亏！{PROMPTS}"
    assert detail["fingerprint"] == fingerprint(BAD)
    finding = detail["findings"][0]
    assert (finding["phrase"], finding["begin"], finding["end"]) == ("稳赚不赔", 3, 8)
    assert finding["original"].startswith("本产品〔稳 赚不赔〕！投资有风险")
    assert finding["reworded"].startswith("本产品〔有盈有亏〕！投资有风险")
    assert command.evidence == fact.evidence
    (source,) = fact.evidence.sources
    assert (source.topic, source.partition, source.to - source.from_) == ("channel-events", 0, 1)


def test_the_longest_and_worst_text_becomes_messages_that_can_be_read() -> None:
    world = World("content")
    hidden = "保" + "\u200b" * 1000 + "本。"
    publish(world, (hidden * 30)[:20_000])
    for number in range(200):
        publish(world, PROMPTS, MINUTE, f"{number}" * 60, reviewers=[])
    fact = world.facts[-1]
    assert fact.evidence is not None and fact.title is not None
    assert len(fact.evidence.detail["findings"]) == SHOWN
    assert fact.evidence.detail["more_findings"] == fact.evidence.value - SHOWN > 0
    assert len(fact.title.en) < 500
    assert max(len(output.value or b"") for output in world.outputs) < MAX_COMMAND_BYTES // 8


def test_a_clean_text_under_the_same_id_resolves_it_and_the_take_down_stays() -> None:
    world = World("content")
    publish(world, BAD)
    publish(world, GOOD, 10 * MINUTE)
    assert statuses(world) == ["open"], "not before a pane closes"
    world.mark(12 * MINUTE)
    assert statuses(world) == ["open", "resolved"]
    assert world.facts[-1].summary is not None and "stays in force" in world.facts[-1].summary.en
    assert world.ordered() == [TAKE_DOWN]
    world.mark(2 * HOUR)
    assert len(world.facts) == 2


def test_every_channel_counts_and_the_worst_text_is_told() -> None:
    world = World("content")
    publish(world, GOOD, 0, "weibo")
    publish(world, BAD, MINUTE, "douyin", reviewed_fingerprint=fingerprint(BAD))
    (fact,) = world.facts
    assert fact.evidence is not None
    assert fact.evidence.detail["channels"] == ["douyin", "weibo"]
    assert fact.evidence.detail["in_violation"] == ["douyin"]
    publish(world, "稳赚不赔，保本保收益。", 2 * MINUTE, "weibo", reviewed_fingerprint=None)
    publish(world, GOOD, 3 * MINUTE, "douyin")
    world.mark(10 * MINUTE)
    assert statuses(world)[-1] != "resolved", "the other channel"
    remove(world, 11 * MINUTE, "weibo")
    world.mark(20 * MINUTE)
    assert statuses(world)[-1] == "resolved"


def test_it_is_over_when_no_channel_has_it_any_more() -> None:
    world = World("content")
    publish(world, BAD, 0, "douyin")
    publish(world, BAD, SECOND, "weibo")
    remove(world, MINUTE, "douyin")
    world.mark(10 * MINUTE)
    assert "resolved" not in statuses(world)
    remove(world, 11 * MINUTE, "weibo")
    world.mark(20 * MINUTE)
    assert statuses(world)[-1] == "resolved"
    world.mark(2 * HOUR)
    assert CALL not in world.ordered()


def test_each_channel_that_publishes_it_later_is_a_new_order_so_that_platforms_are_asked_again() -> None:
    world = World("content")
    publish(world, BAD, 0, "douyin")
    publish(world, BAD, SECOND, "weibo")
    remove(world, 2 * SECOND, "douyin")
    publish(world, BAD, 3 * SECOND, "douyin")
    assert world.ordered() == [(*TAKE_DOWN[:2], level) for level in (1, 2, 3)]
    assert {fact.alert_id for fact in world.facts} == {world.facts[0].alert_id}
    assert {fact.level for fact in world.facts} == {1}, "nobody is called for each"
    assert len({command.command_id for command in world.commands}) == 3


def called_at(world: World, since: int, until: int, *, restart: bool = False) -> list[int]:
    """The minutes after whose close people were called."""
    found, restarts = [], Restarts(world)
    for minute in range(since, until):
        if restart:
            restarts.restart()
        before = len(world.commands)
        world.mark(minute * MINUTE + 30 * SECOND)
        found += [minute for command in world.commands[before:] if command.command == "escalate"]
    return found


@pytest.mark.parametrize("restart", [False, True])
def test_people_are_called_once_when_it_still_stands_after_half_an_hour(restart: bool) -> None:
    world = World("content")
    publish(world, BAD)
    assert called_at(world, 1, 50, restart=restart) == [31], "the first close after half an hour"
    call = world.commands[-1]
    assert (call.target, call.level, call.maturity) == ("content:c-1", 2, "auto")
    assert call.reason is not None and call.reason.en == "Content c-1 still stands on douyin after 30 minutes"
    assert call.event_time is not None and call.evidence is not None and call.event_time == call.evidence.window.to
    fact = world.facts[-1]
    assert (fact.status, fact.level) == ("updated", 1), "whether people are told is for channel_control to say"
    assert fact.summary is not None and "have it removed by hand" in fact.summary.en
    assert "请人工下架" in fact.summary.zh


def test_publishing_it_again_does_not_put_the_deadline_off() -> None:
    world = World("content")
    publish(world, BAD)
    publish(world, BAD + "。", 20 * MINUTE)
    assert called_at(world, 21, 60) == [31]


@pytest.mark.parametrize(("removed", "calls"), [(29 * MINUTE, []), (32 * MINUTE, [31])])
def test_a_removal_in_time_is_the_confirmation(removed: int, calls: list[int]) -> None:
    world = World("content")
    publish(world, BAD)
    remove(world, removed)  # the marks below are of before
    assert called_at(world, 1, 60) == calls


def test_after_an_outage_the_deadline_is_judged_as_of_its_time() -> None:
    world = World("content")
    publish(world, BAD)
    Restarts(world).restart()
    remove(world, 40 * MINUTE)
    world.mark(5 * HOUR)
    assert world.ordered() == [TAKE_DOWN, CALL]
    assert statuses(world) == ["open", "updated", "resolved"]


def test_another_deadline_in_the_policy_counts_from_the_same_trip_and_swallows_no_call() -> None:
    world = World("content")
    publish(world, BAD)
    world.mark(12 * MINUTE)
    sooner = policy(2, content_violation={"thresholds": {"take_down_within": "10m"}})
    world.mark(12 * MINUTE + SECOND, in_force=sooner)
    world.mark(14 * MINUTE)
    assert world.ordered() == [TAKE_DOWN, CALL]


def test_another_policy_judges_all_that_stands_as_of_now() -> None:
    world = World("content")
    publish(world, f"高枕无忧。{PROMPTS}")
    world.mark(48 * HOUR)
    Restarts(world).restart()
    document = {"version": 2, "content": {"phrases": [{"text": "高枕无忧"}]}}
    world.mark(48 * HOUR + SECOND, in_force=Policy.model_validate(document))
    (command,) = world.commands
    assert (command.command, command.evidence and command.evidence.policy.version) == ("take_down", 2)
    assert command.event_time == from_ms(TEN + 48 * HOUR - MINUTE), "not when it was published, so it is not stale"
    world.mark(49 * HOUR, in_force=policy(3))
    world.mark(50 * HOUR)
    assert statuses(world)[-1] == "resolved"


def test_a_rule_in_shadow_orders_nothing_and_a_maturity_by_action_is_kept() -> None:
    world = World("content", policy(1, content_violation={"maturity": "shadow"}))
    publish(world, BAD)
    assert world.facts == []
    world = World("content", policy(1, content_violation={"maturity": {"take_down": "approve"}}))
    publish(world, BAD)
    assert [(each.command, each.maturity) for each in world.commands] == [("take_down", "approve")]


def audits(world: World) -> list[AuditRecord]:
    return [AuditRecord.model_validate_json(each.value or b"") for each in world.outputs if each.topic == "audit"]


@pytest.mark.parametrize("enabled", [True, False])
def test_each_text_leaves_its_fingerprint_in_the_audit_whatever_the_rule_says(enabled: bool) -> None:
    world = World("content", policy(1, content_violation={"enabled": enabled}))
    publish(world, GOOD, product_id="p-1")
    publish(world, GOOD, MINUTE, "weibo")
    remove(world, 2 * MINUTE)
    first, second = audits(world)
    assert (first.what, first.who, first.target) == ("content_published", "indicators:content:0", "content:c-1")
    assert first.detail == {"fingerprint": fingerprint(GOOD), "channel": "douyin", "product": "p-1"}
    assert first.audit_id != second.audit_id
    assert {each.key for each in world.outputs if each.topic == "audit"} == {b"content:c-1"}


def test_the_audit_is_written_before_any_policy_and_the_console_shows_it() -> None:
    world = World("content", first_mark=False)
    publish(world, BAD)
    (output,) = world.outputs
    shown = Audit(10, 0)
    shown.fold((1, 0, 0), output.value or b"")
    assert [each.what for each in shown.newest(lambda _: True, 5)] == ["content_published"]


def test_the_snapshot_holds_what_stands_and_forgets_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "KEPT_MS", 24 * HOUR)
    world = World("content")
    restarts = Restarts(world)
    for minute in range(20):
        publish(world, GOOD, minute * MINUTE)
    publish(world, GOOD, 5 * MINUTE, "weibo")
    restarts.snapshot()
    world.mark(25 * MINUTE)
    restarts.restart()
    kept = {key for key in restarts.stored if key.startswith((b"bc-1\0", b"cc-1"))}
    assert len(kept) == 3, "the newest of each channel, and what is known of the content"
    world.mark(24 * HOUR)
    assert not restarts.snapshot()
    world.mark(25 * HOUR)
    assert restarts.snapshot() == kept


def test_a_text_is_scanned_once_however_many_closes_look_at_it(monkeypatch: pytest.MonkeyPatch) -> None:
    scans, scan = list[Material](), Scanner.scan

    def counted(scanner: Scanner, material: Material, figures: Figures) -> Report:
        scans.append(material)
        return scan(scanner, material, figures)

    monkeypatch.setattr(Scanner, "scan", counted)
    world = World("content")
    publish(world, BAD)
    for minute in range(1, 60):
        world.mark(minute * MINUTE)
    assert len(scans) == 1


def test_channel_control_takes_it_down_and_knows_when_nobody_need_be_called() -> None:
    world, control = World("content"), ControlMachine(0)
    publish(world, BAD)
    world.mark(40 * MINUTE)
    order, call = (each for each in world.outputs if each.topic == "channel-commands")
    control.apply(Record(0, TEN, order.key, order.value or b""))
    wanted = control.target("content:c-1").wanted()
    assert (wanted.status, wanted.generation) == ("taken_down", 1)
    said = Command(
        command_id="0" * 32,
        command="confirmed",
        target=wanted.target,
        issued_by="reconciler",
        issued_at=from_ms(TEN),
        expected_generation=1,
        observed=wanted,
    )
    control.apply(Record(1, TEN, order.key, said.model_dump_json().encode()))
    (audit,) = (each for each in control.apply(Record(2, TEN, call.key, call.value or b"")) if each.topic == "audit")
    assert json.loads(audit.value or b"")["why"] == "not needed: the platform has confirmed the take-down"
