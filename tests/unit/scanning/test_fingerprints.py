"""Which changes of a body its fingerprint sees."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.scanning.fingerprints import fingerprint

BODY = "年化 3.5% R2 级，\n投资有风险"


@pytest.mark.parametrize(
    "same",
    [
        "年化 ３.５% R2 级，\r\n投资有风险",
        "\ufeff年化3.5% R2级， 投资 有\u200b风险\n",
        " 年化\u30003.5%R2\t级，投资有风险",
    ],
)
def test_it_is_blind_to_what_platforms_change(same: str) -> None:
    assert fingerprint(same) == fingerprint(BODY)


@pytest.mark.parametrize("change", [("3.5", "35"), ("，", "。"), ("R2", "r2"), ("有", "無"), ("风险", "")])
def test_it_sees_every_other_change(change: tuple[str, str]) -> None:
    assert fingerprint(BODY.replace(*change)) != fingerprint(BODY)


def test_numbers_do_not_run_into_each_other() -> None:
    assert fingerprint("3 5 年") != fingerprint("35 年")
    assert fingerprint("3  5 年") == fingerprint("3 5年")


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_has_one(body: str) -> None:
    assert len(fingerprint(body)) == 64
    assert fingerprint(f" {body}\u200b\n") == fingerprint(body)


def test_what_is_invisible_keeps_nothing_apart_that_combines() -> None:
    assert fingerprint("e\u200d\u0301") == fingerprint("é")
