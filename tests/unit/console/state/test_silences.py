"""Of what nobody is told, as the console shows it, and how a person silences."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from schemas.alerting import PlannedSilence
from schemas.topics import ALERT_STATE, AUDIT
from services.console.state.silences import Silences
from tests.unit.console.samples import NOW, alert, audit
from tests.unit.console.world import World

URL = "/api/v1/orders/silence"
UNTIL = (NOW + timedelta(hours=2)).isoformat()


def silenced(name: str, hours: int | None = 2, **fields: Any) -> Any:
    """The audit of a silence that ends so many hours from now, or of one that ends another."""
    until = {} if hours is None else {"expires_at": (NOW + timedelta(hours=hours)).isoformat()}
    return audit(name, what="silence", detail={"note": "known", **until}, **fields)


def test_the_newest_word_on_each_scope_counts_until_it_is_over() -> None:
    silences = Silences()
    for record in (
        silenced("a", hours=5),
        silenced("b", hours=3, at=NOW + timedelta(minutes=1)),
        silenced("c", hours=1, target="channel:weixin"),
        silenced("d", hours=1, alert_id="ab" * 16),
        silenced("e", hours=9, outcome="refused", target="channel:other"),
        silenced("f", hours=1, target="channel:loud"),
        silenced("g", hours=None, target="channel:loud", at=NOW + timedelta(minutes=1)),
        audit("h", target="channel:paused"),
    ):
        silences.fold(record)
    found = silences.standing(NOW, []).silences
    assert [(each.subject, each.alert_id) for each in found] == [
        ("channel:douyin", "ab" * 16),
        ("channel:weixin", None),
        ("channel:douyin", None),
    ]
    assert (found[2].until, found[2].by, found[2].reason) == (NOW + timedelta(hours=3), "person:li.wei", "known")
    assert len(silences.standing(NOW + timedelta(hours=2), []).silences) == 1


def test_those_of_the_policy_are_there_until_they_are_over() -> None:
    planned = [
        PlannedSilence.model_validate(
            {"match": {}, "author": "li", "reason": "x", "from": NOW, "to": NOW + timedelta(hours=hours)}
        )
        for hours in (2, 1)
    ]
    assert Silences().standing(NOW + timedelta(minutes=90), planned).planned == planned[:1]


@pytest.mark.usefixtures("complete")
async def test_a_person_silences_an_alert_or_a_subject(world: World, client: httpx.AsyncClient) -> None:
    known = alert("a", subject="actor:x")
    order = {"alert_id": known.alert_id, "expires_at": UNTIL, "note": "known"}
    assert (await client.post(URL, json=order)).status_code == 404
    await world.read(ALERT_STATE, (known.alert_id, known))
    assert (await client.post(URL, json=order)).status_code == 202
    assert (await client.post(URL, json={"target": "channel:a", "expires_at": None})).status_code == 202
    assert [(one.command, one.target, one.alert_id) for one in world.commands] == [
        ("silence", "actor:x", known.alert_id),
        ("silence", "channel:a", None),
    ]
    await world.read(AUDIT, ("channel:douyin", silenced("s", hours=24 * 365 * 9)))
    (shown,) = (await client.get("/api/v1/silences")).json()["silences"]
    assert (shown["subject"], shown["by"], shown["reason"]) == ("channel:douyin", "person:li.wei", "known")


@pytest.mark.usefixtures("complete")
@pytest.mark.parametrize(
    "order",
    [
        {"expires_at": UNTIL, "note": "x"},
        {"target": "channel:a", "alert_id": "0" * 32, "expires_at": UNTIL, "note": "x"},
        {"target": "channel:a", "expires_at": UNTIL},
        {"target": "channel:a", "note": "x"},
    ],
)
async def test_a_silence_says_of_what_until_when_and_why(
    world: World, client: httpx.AsyncClient, order: dict[str, Any]
) -> None:
    assert (await client.post(URL, json=order)).status_code == 422
    assert world.commands == []
