"""Orders by themselves: what only tightens, and what no order can do. Numbers: `test_machine_properties.py`."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.channel_control.machine import ControlMachine
from services.runtime.machines.machine import Record
from tests.unit.channel_control.orders import CHANNEL, NOW_MS, confirmed, expired, hex_id, order, persons, record, said
from tests.unit.channel_control.partition_life import strictness

mostly_throttles = st.sampled_from(["throttle", "throttle", "throttle", "pause"])
factors = st.sampled_from([0.0, 0.25, 0.5, 1.0])
levels = st.integers(1, 4)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(mostly_throttles, levels, factors, st.sampled_from(["auto", "approve"])), min_size=2, max_size=6)
)
def test_one_alerts_orders_only_ever_tighten(orders: list[tuple[str, int, float, str]]) -> None:
    machine = ControlMachine(0)
    for number, (kind, level, factor, maturity) in enumerate(orders):
        before = strictness(machine.target(CHANNEL))
        fields = order(number, kind, level=level, factor=factor, maturity=maturity)
        machine.apply(record(number, fields))
        after = strictness(machine.target(CHANNEL))
        assert after == before if maturity == "approve" else after >= before  # 4, 12


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**4000),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)
ODD = JSON | st.sampled_from(
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "person:\n", "x" * 1000, CHANNEL, "pause", "confirmed"]
)
CONFIRMED = confirmed(1, 0, "running", 1.0)
FIELDS = sorted({*order(0), *confirmed(0, 1, "paused", 0.0), "factor", "evidence", "expires_at", "hold_ids", "note"})


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(
        [order(1), persons(1, "pause"), persons(1, "resume"), persons(1, "approve"), expired(1, hex_id(1)), CONFIRMED]
    ),
    st.dictionaries(st.sampled_from(FIELDS), ODD, max_size=3),
)
def test_no_order_however_odd_ends_the_process(base: dict[str, Any], odd: dict[str, Any]) -> None:
    machine = ControlMachine(0)
    value = json.dumps(base | odd).encode()
    outputs = machine.apply(Record(0, NOW_MS, CHANNEL.encode(), value))
    assert len(said(outputs, "audit")) == 1
    fresh = ControlMachine(0)
    fresh.load([(key, record_) for key, record_ in machine.changed() if record_ is not None])
    assert fresh.target(CHANNEL) == machine.target(CHANNEL)
