from hypothesis import given
from hypothesis import strategies as st

from services.runtime.ids import derive

parts = st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=5)


def test_ids_are_the_same_for_ever() -> None:
    assert derive() == "cae66941d9efbd404e4d88758ea67670"
    assert derive("alert", "complaint_volume", "channel:douyin", "42") == "72cc910896d8854e2722a64de010d352"


@given(parts, parts)
def test_only_the_same_parts_give_the_same_id(left: list[str], right: list[str]) -> None:
    assert (derive(*left) == derive(*right)) == (left == right)


@given(parts)
def test_an_id_is_32_hex_digits(texts: list[str]) -> None:
    made = derive(*texts)
    assert len(made) == 32
    assert set(made) <= set("0123456789abcdef")


def test_where_one_part_ends_matters() -> None:
    assert derive("ab", "c") != derive("a", "bc") != derive("abc")
