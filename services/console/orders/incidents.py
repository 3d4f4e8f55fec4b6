"""What people may say of incidents, and the commands that this becomes. Pure; time and ids come in."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from schemas.audit import AuditRecord
from schemas.base import HexId
from schemas.commands import Command
from services.console.orders.orders import Order, Word, command_of
from services.console.people import Person
from services.incidents.grouping import Group, Grouped
from services.incidents.incident import Incident
from services.incidents.regrouping import MOST, Parts, RegroupingError, merged, parted

Ids = Annotated[list[HexId], Field(min_length=1, max_length=MOST)]


class IncidentList(BaseModel):
    """Incidents, the one that began last first."""

    incidents: list[Incident]


class Merge(Order):
    """Puts other incidents into this one."""

    incident_ids: Annotated[Ids, Field(description="The others; their ids lead here from then on.")]


class Split(Order):
    """Makes an incident of its own of some of the alerts. The part with the alert that this one is called by keeps its
    id; the other is called by its first alert."""

    alert_ids: Annotated[Ids, Field(description="Those that go.")]


def command_of_order(
    order: Merge | Split,
    group: Group,
    grouped: Grouped,
    before: AuditRecord | None,
    person: Person,
    new_id: str,
    now: datetime,
) -> Command:
    """The command of an order about a group; raises RegroupingError.

    before: what the audit says of an order under the same id. When that was this order, the command is what it was: the
    alerts have moved by now.
    """
    known = {} if before is None else before.detail.get("incidents") or {}
    if before is not None and _is_same(order, known):
        target, parts = before.target, known
    else:
        target, parts = f"incident:{group.key}", _parts(order, group, grouped)
    word: Word = "merge" if isinstance(order, Merge) else "split"
    return command_of(word, Order(note=order.note), person, new_id, now, target=target, incidents=parts)


def _parts(order: Merge | Split, group: Group, grouped: Grouped) -> Parts:
    if isinstance(order, Split):
        return parted(group, order.alert_ids)
    others = [grouped.find(each) for each in order.incident_ids]
    found = [each for each in others if each is not None]
    if len(found) < len(others):
        raise RegroupingError("names an incident that is not known", "没有所指的事件")
    return merged(group, found)


def _is_same(order: Merge | Split, known: Mapping[str, list[str]]) -> bool:
    if isinstance(order, Split):
        return set(order.alert_ids) in map(set, known.values())
    return len(known) == 1 and set(order.incident_ids) <= set(next(iter(known.values())))
