"""Whoever reads the pages in Chinese is left no sentence in English."""

import re
from datetime import UTC, datetime
from functools import partial
from html.parser import HTMLParser
from typing import Any, get_args

import pytest

from schemas.alerts import ActionState, ActionTaken
from schemas.audit import AuditRecord, Outcome
from schemas.channels import ChannelState
from schemas.dead_letters import Problem
from schemas.policy import Policy
from schemas.policy_topic import PolicyTopic
from schemas.topics import ALERT_STATE, AUDIT, CHANNEL_STATE, DEAD_LETTERS, READINGS
from services.console.people import Role
from services.incidents.report_words import WORDS
from services.policies.changes import Ask, Change, apply
from services.runtime.ids import derive
from tests.unit.console.browsing import Form, browsing
from tests.unit.console.samples import NOW, audit
from tests.unit.console.state.test_complaints import case
from tests.unit.console.state.test_complaints import told as told_of_cases
from tests.unit.console.state.test_figures import COUNTS, READING, TALLY
from tests.unit.console.state.test_letters import letter
from tests.unit.console.targets import in_all_states
from tests.unit.console.troubles import asking, held, paused, slowed
from tests.unit.console.world import World

pytestmark = pytest.mark.usefixtures("complete")
SENTENCE = re.compile(r"[A-Za-z][A-Za-z'’]+(?:[,:;]? +[A-Za-z][A-Za-z'’]*){2,}")
"""Three words in a row."""
READ_ALOUD = ("title", "aria-label", "placeholder", "alt", "data-name", "data-label", "content")
AS_IT_STANDS = ("code", "pre", "script", "style", "textarea", "meta")
"""What people type, or wrote themselves: commands, documents."""


class Sentences(HTMLParser):
    """The English that is read on a page, or heard."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._silent += tag in AS_IT_STANDS and tag != "meta"
        if tag not in AS_IT_STANDS:
            self.found += [
                said for name, value in attrs if name in READ_ALOUD for said in SENTENCE.findall(value or "")
            ]

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in AS_IT_STANDS and tag != "meta"

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.found += SENTENCE.findall(" ".join(data.split()))


def in_both(target: ChannelState) -> ChannelState:
    """With what services say as they say it: in both languages; and what people say in Chinese."""
    holds = [hold.model_copy(update={"reason_zh": "今日投诉 20 件"}) for hold in target.holds]
    requests = [request.model_copy(update={"reason": "已致电平台"}) for request in target.requests]
    platform = target.platform.model_copy(update={"error_zh": "平台返回 503"} if target.platform.error else {})
    return target.model_copy(update={"holds": holds, "requests": requests, "platform": platform})


def told() -> list[AuditRecord]:
    """Every word with every outcome, of people and of parts of Tidegate."""
    about: dict[str, Any] = {"why": "it was said in English", "why_zh": "用中文说明", "alert_id": derive("douyin")}
    return [
        audit(f"{word} {outcome} {who}", what=word, outcome=outcome, who=who, **about)
        for word in ("pause", "throttle", "freeze", "take_down", "escalate", "deliver", *WORDS)
        for outcome in get_args(Outcome)
        for who in ("person:li.wei", "reconciler")
    ]


def policies() -> list[Policy]:
    """The first, and one that others have to agree to."""
    looser = {
        "version": 2,
        "governor": {"channels_at_once": 50},
        "four_eyes": {"approvals": 1},
        "indicators": {
            "complaint_rate": {
                "maturity": {"throttle": "auto"},
                "thresholds": {"slow_at": 0.01},
                "clear": {"below": 0.4},
                "overrides": {"channel:douyin": {"thresholds": {"slow_at": 0.03}}},
            }
        },
    }
    return [Policy(version=1), Policy.model_validate(looser)]


def _applied(policy: Policy, topic: PolicyTopic, ask: Ask) -> Change:
    return apply(topic, policy, ask)


@pytest.fixture
async def full(world: World) -> World:
    targets = [*in_all_states().values(), held(requested=True), asking()]
    await world.read(CHANNEL_STATE, *((each.target, in_both(each)) for each in targets))
    steps = [
        ActionTaken(
            what="pause", target=f"channel:{state}", state=state, by="reconciler", at=NOW, note="in English it is so",
            note_zh="平台返回 503",
        )
        for state in get_args(ActionState)
    ]  # fmt: skip
    alerts = [paused(actions=steps), slowed()]
    await world.read(ALERT_STATE, *((each.alert_id, each) for each in alerts))
    await world.read(AUDIT, *(("channel:douyin", record) for record in told()))
    await world.read(READINGS, ("w", TALLY), ("w", READING), ("w", COUNTS), ("w", told_of_cases({"c": case(50)})))
    wrong = ("Input should be greater than or equal to 0", "is not valid JSON: expected value", "is required")
    letters = (letter(place, "channel-events", Problem(field="x", problem=each)) for place, each in enumerate(wrong))
    await world.read(DEAD_LETTERS, *(("k", each) for each in letters))
    for policy in policies():
        await world.change(Ask("zhao", datetime.now(UTC), "按例会决定"), partial(_applied, policy))
    return world


ALERTS = [f"/alerts/{derive(name)}" for name in ("douyin", "wechat")]
PAGES = [
    *("/", "/?kind=product", "/?of=segment:young", "/alerts?status=all", *ALERTS),
    *("/incidents", f"/incidents/{derive('douyin')}"),
    *(f"/incidents/{derive('douyin')}/report?format={form}" for form in ("html", "markdown")),
    *("/policy", "/policy/edit", "/policy/version?label=default/1", "/policy/diff?a=default/1&b=default/2"),
    *("/content", "/complaints", "/audit", "/dead-letters", "/dead-letters/channel-events/0/0", "/account", "/signin"),
    "/high-risk",
    *(f"/channels/channel:{name}" for name in [*in_all_states(), "douyin", "wechat"]),
]
REFUSALS = [f"/alerts/{'0' * 32}", f"/incidents/{'0' * 32}", "/channels/nothing:x", "/policy/version?label=x/9",
            "/policy/trial/x", "/audit?since=x", "/dead-letters/x/0/0"]  # fmt: skip


@pytest.mark.parametrize("role", ["viewer", "admin"])
async def test_pages_and_refusals_are_in_chinese(full: World, role: Role) -> None:
    found = {}
    async with browsing(full, role, "zh") as browser:
        for path in PAGES + REFUSALS:
            answer = await browser.get(path)
            assert (answer.status_code >= 400) == (path in REFUSALS), path
            found[path] = Sentences(answer.text).found
    assert {path: said for path, said in found.items() if said} == {}


@pytest.mark.parametrize(
    ("page", "action", "fields"),
    [
        ("/channels/channel:paused", "/do/pause", {"reason": ""}),
        ("/channels/channel:paused", "/do/throttle", {"percent": "many", "reason": "x"}),
        ("/channels/channel:paused", "/do/freeze", {"reason": "x", "confirm": "other"}),
        ("/high-risk", "/high-risk", {"confirm": "other"}),
        ("/high-risk", "/high-risk", {"command": "throttle", "percent": "", "reason": "x", "confirm": "high-risk"}),
        ("/policy/edit", "/policy/edit", {"do": "put", "figure": "complaint_rate.maturity", "value": "often"}),
        ("/policy/edit", "/policy/edit", {"do": "put", "figure": "complaint_rate.enabled", "value": ""}),
        ("/policy/edit", "/policy/edit", {"document": "name: default\nversion: 1\nmax_silence: 1h\nsecrets: 3"}),
        ("/policy/edit", "/policy/edit", {"document": "name: default\nversion: 1\nmax_silence: 1h"}),
        ("/policy/edit", "/policy/edit", {"document": "name: [", "reason": "x"}),
        ("/policy", "/policy/approve", {"label": "default/9", "reason": "x"}),
        ("/policy", "/policy/rollback", {"label": "default/1", "reason": "x"}),
    ],
)
async def test_what_is_wrong_with_a_form_is_said_in_chinese(
    full: World, page: str, action: str, fields: dict[str, str]
) -> None:
    async with browsing(full, "admin", "zh") as browser:
        hidden = Form((await browser.get(page)).text, "/policy/edit" if page == "/policy/edit" else "/signout").fields
        answer = await browser.post(action, data=hidden | {"back": "/", "target": "channel:paused"} | fields)
    assert Sentences(answer.text).found == []
    assert answer.status_code in (200, 409, 422)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("<p>等待 person wang</p>", []),
        ("<p>too few words 等</p>", ["too few words"]),
        ('<p title="read it aloud">…</p>', ["read it aloud"]),
        ("<p>运行 <code>tidegate policy check FILE</code></p>", []),
    ],
)
def test_english_is_found_where_it_is_read(said: str, found: list[str]) -> None:
    assert Sentences(said).found == found
