"""The drill of a leak: a person who does not exist, whose traces are found and whose data must not be."""

import json
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network

import httpx
import pytest

from services.cli.drill.course import Course, NotMarkedError, report
from services.cli.drill.leak import STEPS, Search, leak_of
from services.cli.drill.leak_io import close
from services.ingest.frames.pseudonyms import Actors, Pseudonyms, SharedAddresses

AT = datetime(2026, 11, 27, 1, tzinfo=UTC)
KEY = b"k" * 32
LEAK = leak_of("drill-a", "0123456789abcdef", "fedcba9876543210", KEY)
CLICK, OPENED = LEAK.did(AT)


def test_it_runs_on_marked_channels_only() -> None:
    with pytest.raises(NotMarkedError, match="a channel whose name begins with 'drill-'"):
        leak_of("douyin", "00" * 8, "11" * 8, KEY)


def test_the_person_has_an_address_that_nobody_has_and_the_ids_tell_nothing_of_it() -> None:
    assert ip_address(LEAK.address) in ip_network("2001:db8::/32")
    events = [CLICK, OPENED, LEAK.closed(AT)]
    assert {each.channel_id for each in events} == {"drill-a"}
    assert len({each.event_id for each in events}) == 3
    ids = " ".join([*(each.event_id for each in events), OPENED.complaint_id, LEAK.closed(AT).complaint_id])
    assert not any(form in ids.encode() for written in LEAK.personal().values() for form in written)
    assert repr(KEY) not in repr(LEAK)


@pytest.mark.parametrize("field", ["ip", "account_id", "text", "contact"])
def test_whatever_the_person_said_is_personal(field: str) -> None:
    said = json.dumps({field: getattr(OPENED, field)}).encode()
    search = Search(LEAK)
    search.look("audit", [b"nothing", said])
    assert len(search.found["audit"]) == 1
    assert search.records == 2


def test_the_network_of_the_address_alone_is_personal_too() -> None:
    search = Search(LEAK)
    search.look("logs", [str(ip_network(f"{LEAK.address}/64", strict=False)).encode()])
    assert search.found == {"logs": {"address"}}


def test_the_pseudonyms_are_those_that_ingest_gives() -> None:
    actors = Actors(Pseudonyms(KEY, "ip"), SharedAddresses([]))
    assert LEAK.pseudonyms() == [actors[LEAK.address], Pseudonyms(KEY, "account").of(LEAK.account)]


def test_a_pseudonym_is_a_trace_and_not_personal() -> None:
    address, account = LEAK.pseudonyms()
    course, search = Course(LEAK.drill(60)), Search(LEAK)
    course.take("frames.actor", b"\x93 another \xc4\x10", 0.5)
    assert course.seen == {}
    course.take("frames.actor", b"\x93" + address + b"\xc4", 1.0)
    assert course.seen == {"traced": 1.0}
    search.look("frames.actor", [b"\x93" + address, account + b"\x01", b"another"])
    search.look("audit", [f'"actor:{address.hex()}"'.encode()])
    search.look("alerts", [b"another"])
    assert search.found == {}
    assert [*search.notes()] == [
        "Searched: 5 records and lines. By pseudonym the person is in `frames.actor` (2), `audit` (1)."
    ]


def test_the_report_says_where_something_was_found_and_not_what() -> None:
    course, search = Course(LEAK.drill(60), dict.fromkeys([*STEPS][:-1], 1.0)), Search(LEAK)
    search.look("audit", [LEAK.account.encode(), OPENED.model_dump_json().encode()])
    course.notes += search.notes()
    text = "\n".join(report(course, AT))
    assert "**Failed**: not seen within 60 s: clean." in text
    assert "**Found in `audit`**: account, address, contact, text." in text
    assert not any(form.decode("utf-8", "ignore") in text for written in LEAK.personal().values() for form in written)


@pytest.mark.parametrize(("renewed", "leaked", "closes"), [(202, 401, True), (401, 202, True), (401, 401, False)])
async def test_the_complaint_is_closed_with_whichever_token_is_taken(renewed: int, leaked: int, closes: bool) -> None:
    """Also where nobody took the leaked one out in time: a complaint that stays open calls people for nothing."""
    taken: list[bytes] = []

    def gateway(status: int) -> httpx.AsyncClient:
        def answer(request: httpx.Request) -> httpx.Response:
            taken.extend([request.content] if status == 202 else [])
            return httpx.Response(status)

        return httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://gateway")

    async with gateway(renewed) as first, gateway(leaked) as second:
        assert await close(LEAK, first, second) == closes
    assert [json.loads(each)["complaint_id"] for each in taken] == [OPENED.complaint_id] * closes
