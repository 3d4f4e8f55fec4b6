"""What the scanner finds, where, and what it proposes instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.content import ContentPolicy, Phrase, Prompt
from services.scanning.report import Figures, Finding, Material, Report
from services.scanning.scanner import MAX_FINDINGS, Scanner

DEFAULT = Scanner(ContentPolicy())
PROMPTS = "\n投资有风险。历史业绩不代表未来表现。"
NOISE = st.text(st.sampled_from(" 　\u200b\ufeff\u0336*·-，、“【💰\t"), max_size=4)


def scan(body: str, scanner: Scanner = DEFAULT, disclosure_share: float | None = None) -> Report:
    return scanner.scan(Material(body=body, disclosure_share=disclosure_share), Figures())


def phrases(body: str, scanner: Scanner = DEFAULT) -> list[Finding]:
    return [finding for finding in scan(body, scanner).findings if finding.kind == "phrase"]


def marked(body: str, scanner: Scanner = DEFAULT) -> str:
    """The body with 〔〕 around what was found."""
    for finding in reversed(phrases(body, scanner)):
        assert finding.begin is not None
        assert finding.end is not None
        assert body[finding.begin : finding.end] == finding.found
        body = f"{body[: finding.begin]}〔{finding.found}〕{body[finding.end :]}"
    return body


@pytest.mark.parametrize(
    "expected",
    [
        "本产品〔保本保收益〕，欢迎选购",
        "〔稳 赚，不 赔〕！",
        "〔保\u200b本〕理财",
        "〔保\u0336本\u0336〕理财",
        "〔穩賺不賠〕",
        "〔０风险〕",
        "〔稳赚BU赔〕，快来",
        "〔保夲保收益〕",
        "〔亻呆本〕",
        "〔刚兑〕，〔零風險〕，〔稳 赚 b u 赔〕",
    ],
)
def test_the_place_is_marked_in_the_original(expected: str) -> None:
    assert marked(expected.replace("〔", "").replace("〕", "")) == expected


@given(st.sampled_from(["保本保收益", "稳赚不赔", "零风险"]), st.lists(NOISE, min_size=4, max_size=4), NOISE)
def test_no_noise_hides_a_phrase(phrase: str, noise: list[str], around: str) -> None:
    hidden = "".join(sign + between for sign, between in zip(phrase, [*noise, ""], strict=False))
    (found,) = phrases(f"买它{around}{hidden}{around}吧")
    assert found.phrase == phrase
    assert found.found is not None
    assert found.found.startswith(phrase[0])
    assert found.found.rstrip("\u200b\ufeff\u0336").endswith(phrase[-1])


@given(st.text(max_size=200))
def test_any_text_has_a_report_whose_places_are_in_it(body: str) -> None:
    for finding in scan(body.replace("\0", "")).findings:
        if finding.kind == "phrase":
            assert body[finding.begin : finding.end] == finding.found != ""


@pytest.mark.parametrize("end", [*"。！？；!?;\n\r\u2028", "｡", "！", "\r\n"])
def test_a_phrase_does_not_cross_the_end_of_a_sentence(end: str) -> None:
    assert phrases(f"稳赚{end}不赔") != []  # 稳赚 alone
    assert phrases(f"刚性{end}兑付") == []


@pytest.mark.parametrize(
    "body", ["不保本", "非保本", "不承诺保本保收益", "不承诺本金安全、保本、零风险", "保本都是骗局"]
)
def test_a_denial_near_a_phrase_makes_it_none(body: str) -> None:
    assert phrases(body) == []


@pytest.mark.parametrize(
    "body",
    [
        "不用担心，保本",  # of another clause
        "不收费。保本",  # of another sentence
        "不仅保本",  # not directly before
        "非常保本",
        "不是不保本",  # denied itself
        "无不保本",
        "保本，绝非骗局",
        "保本绝非骗局",
    ],
)
def test_what_only_looks_like_a_denial_is_none(body: str) -> None:
    assert [finding.phrase for finding in phrases(body)] == ["保本"]


def test_two_denials_in_a_row_are_no_promise() -> None:
    """Only what the policy lists as a false denial turns a denial round; `不承诺不保证` is a way of speaking."""
    assert phrases("不承诺不保证保本") == []


@pytest.mark.parametrize("body", ["投保本公司产品", "投 保 本公司", "投保本公司產品", "保本点", "无风险利率"])
def test_exceptions_are_innocent(body: str) -> None:
    assert phrases(body) == []


def test_an_exception_covers_only_what_lies_within_it() -> None:
    assert [finding.phrase for finding in phrases("确保本保收益")] == ["保本保收益"]
    assert [finding.phrase for finding in phrases("投保本公司产品保本")] == ["保本"]


def test_the_longest_phrase_is_told_and_none_inside_it() -> None:
    assert [finding.phrase for finding in phrases("保本保收益")] == ["保本保收益"]
    assert phrases("不保本保收益") == []


def test_a_latin_phrase_is_a_word_and_a_number_a_number() -> None:
    scanner = Scanner(ContentPolicy(phrases=[Phrase(text="NO.1"), Phrase(text="0元购"), Phrase(text="VIP")]))
    found = marked("no.1和Ｎｏ．１，no.10；10元购，0元购；vip客户，vipx", scanner)
    assert found == "〔no.1〕和〔Ｎｏ．１〕，no.10；10元购，〔0元购〕；〔vip〕客户，vipx"


def test_a_word_in_shadow_is_found_and_is_no_violation() -> None:
    lists = [
        Phrase(text="第一", instead="领先", shadow=True),
        Phrase(text="第一名保本", shadow=True),
        Phrase(text="保本"),
    ]
    scanner = Scanner(ContentPolicy(phrases=lists, prompts=[]))
    report = scan("本地第一", scanner)
    assert (report.violated, report.proposed) == (False, "本地第一")
    assert [(finding.phrase, finding.shadow) for finding in report.findings] == [("第一", True)]
    both = scan("第一名保本", scanner)
    assert (both.violated, [finding.phrase for finding in both.findings]) == (True, ["保本"])


def test_missing_prompts_are_told_and_proposed() -> None:
    report = scan("欢迎选购")
    assert [(finding.kind, finding.phrase) for finding in report.findings] == [
        ("missing_prompt", "投资有风险"),
        ("missing_prompt", "历史业绩不代表未来表现"),
    ]
    assert report.proposed == "欢迎选购" + PROMPTS
    assert not scan(report.proposed).violated


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ("投 资 有 风 险；歷史業績不代表未來表現", 0),
        ("理财非存款，产品有风险。基金的过往业绩并不预示其未来表现", 0),
        ("市场存在风险", 1),
        ("投资没有风险", 2),
        ("投资有\n风险", 2),
    ],
)
def test_prompts_may_be_worded_by_patterns(body: str, missing: int) -> None:
    assert len([one for one in scan(body).findings if one.kind == "missing_prompt"]) == missing


def test_a_text_may_be_a_prompt_a_phrase_and_an_exception() -> None:
    policy = ContentPolicy(phrases=[Phrase(text="甲乙")], prompts=[Prompt(text="甲乙")], exceptions=["甲乙"])
    assert scan("甲乙", Scanner(policy)).violated is False


@pytest.mark.parametrize(
    ("more", "kinds"),
    [
        ({}, []),
        ({"disclosure_share": 0.15, "disclosure_font_ratio": 1.5, "reviewers": 2}, []),
        ({"disclosure_share": 0.149}, ["disclosure_share"]),
        ({"disclosure_font_ratio": 1.4}, ["disclosure_font"]),
        ({"reviewers": 1}, ["reviewers"]),
        ({"disclosure_share": 0.0, "disclosure_font_ratio": 1.0, "reviewers": 0}, 3),
    ],
)
def test_figures_are_judged_where_they_are_known(more: dict[str, object], kinds: list[str] | int) -> None:
    report = DEFAULT.scan(Material.model_validate({"body": PROMPTS} | more), Figures())
    found = [finding.kind for finding in report.findings]
    assert found == kinds if isinstance(kinds, list) else len(found) == kinds
    assert report.violated is bool(found)


def test_the_sentences_say_what_and_what_instead() -> None:
    report = scan("穩賺不賠" + PROMPTS, disclosure_share=0.1)
    assert [finding.text.model_dump() for finding in report.findings] == [
        {
            "en": "“穩賺不賠” stands for the forbidden phrase “稳赚不赔”; write “有盈有亏”",
            "zh": "“穩賺不賠”即禁用语“稳赚不赔”，建议改为“有盈有亏”",
        },
        {
            "en": "Risk disclosure is 10.0% of the content, at least 15.0% is required",
            "zh": "风险揭示占比10.0%，低于要求的15.0%",
        },
    ]
    assert report.proposed == "有盈有亏" + PROMPTS


def test_lists_may_be_empty() -> None:
    policy = ContentPolicy(
        phrases=[], prompts=[], false_denials=[], exceptions=[], denials={}, refutations={}, disguises={}
    )
    assert scan("保本", Scanner(policy)).findings == []
    assert scan("", Scanner(policy)).proposed == ""


@pytest.mark.parametrize("piece", ["保本", "不保本", "投保本", "夲", "保本点，"])
def test_the_longest_text_of_nothing_but_phrases_has_a_bounded_report(piece: str) -> None:
    found = phrases((piece * 20_000)[:20_000])
    assert len(found) in (0, MAX_FINDINGS)
