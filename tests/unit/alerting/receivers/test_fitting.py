"""No message is ever larger than its receiver takes, nor broken; the first line and the links are in all of them."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.alerts import Language
from services.alerting.receivers.fitting import cut, fit, utf8, utf16
from services.alerting.receivers.notice import Notice
from services.runtime.http.outgoing import Mail, Request
from tests.unit.alerting.receivers.published_schemas import PUBLISHED, check
from tests.unit.alerting.receivers.samples import LINKS, NOW, action, alert, notice, readable, receivers

MODEST = settings(deadline=None, max_examples=40)
_texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
_long = st.builds(lambda text, times: text * times, _texts, st.sampled_from([1, 30, 700]))
_lengthy = st.builds(lambda en, zh: {"en": en, "zh": zh}, _long, _long)
RECEIVERS = receivers()


@st.composite
def notices(draw: st.DrawFn) -> Notice:
    """Alerts that say a lot, in any signs."""
    target = "channel:" + draw(st.text('abc抖音&<"\\', min_size=1, max_size=300))
    state = alert(
        title=draw(_lengthy),
        summary=draw(_lengthy),
        subject=target,
        actions=[action("pause", draw(st.sampled_from(["confirmed", "failed", "waiting"])), target)],
    )
    languages: list[Language] = ["en", "zh", "both"]
    return notice(state, draw(st.sampled_from(languages)))


def sent(name: str, told: Notice) -> tuple[bytes, Any]:
    """The bytes of the body, and the body read; both raise what is not UTF-8."""
    request = RECEIVERS[name].render(told, NOW)
    assert isinstance(request, Request)
    return request.body, json.loads(request.body.decode())


@MODEST
@given(notices())
def test_the_limits_of_each_receiver_are_kept(told: Notice) -> None:
    whole, feishu = sent("feishu", told)
    assert len(whole) <= 20 * 1024
    whole, dingtalk = sent("dingtalk", told)
    assert len(whole) <= 20_000
    _, wecom = sent("wecom", told)
    assert len(wecom["markdown"]["content"].encode()) <= 4096
    _, slack = sent("slack", told)
    assert all(utf16(block["text"]["text"]) <= 3000 for block in slack["blocks"] if "text" in block)
    assert utf16(slack["text"]) <= 3000
    whole, pagerduty = sent("pagerduty", told)
    assert len(whole) <= 512 * 1024
    assert 0 < utf16(pagerduty["payload"]["summary"]) <= 1024
    sent("alertmanager", told)
    for kind in PUBLISHED:
        check(kind, sent(kind, told)[0])
    mail = RECEIVERS["email"].render(told, NOW)
    assert isinstance(mail, Mail)
    assert max(map(len, mail.body.split(b"\r\n"))) <= 998
    assert len(readable(mail)["headers"]["Subject"]) <= 200
    start = told.words(RECEIVERS["email"].zone).first[:4]
    for shown in (feishu, dingtalk, wecom, slack, pagerduty):
        flat = json.dumps(shown, ensure_ascii=False)
        assert LINKS.alert in flat
        assert str(LINKS.acknowledge) in flat
        assert start in flat


@MODEST
@given(_long, st.integers(1, 200), st.sampled_from([len, utf8, utf16]))
def test_a_cut_text_fits_and_says_that_it_was_cut(text: str, limit: int, measure: Any) -> None:
    shown = cut(text, limit, measure)
    assert measure(shown) <= limit
    assert shown == text or shown == "" or (shown.endswith("…") and text.startswith(shown[:-1]))
    assert (shown == text) is (measure(text) <= limit)


def test_as_much_as_fits_is_kept() -> None:
    assert cut("投诉投诉", 9, utf8) == "投诉…"
    assert cut("投诉投诉", 12, utf8) == "投诉投诉"
    assert cut("投诉投诉", 2, utf8) == ""


def test_details_go_before_the_first_line_does_and_links_never() -> None:
    assert fit("first", "details", "link", 18) == "first\ndetails\nlink"
    assert fit("first", "details", "link", 15) == "first\ndet…\nlink"
    assert fit("first", "details", "link", 11) == "first\nlink"
    assert fit("first", "details", "link", 8) == "fi…\nlink"
