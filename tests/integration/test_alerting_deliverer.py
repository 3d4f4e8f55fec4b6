"""The deliverer against the stand-in receiver, which verifies with the reference library, over real HTTP."""

import asyncio
import logging
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from schemas.alerting import AlertingPolicy, Storm
from schemas.policy import Policy, PolicyInForce
from services.alerting.machine import build
from services.alerting.receivers.notice import Notice
from services.alerting.receivers.webhook import Webhook
from services.alerting.sending.deliverer_io import BUG, PLAIN
from services.alerting.sending.delivery import Answer, Patience
from services.runtime.http.outgoing import Reply, Request
from services.runtime.ids import derive
from tests.integration.alerting_bench import SECRET, MemoryLog, delivering, receiver, until
from tests.unit.alerting.facts import ALERTS, fact, opening

MANY = [derive("many", str(number)) for number in range(20)]


async def test_a_message_arrives_signed_and_the_audit_says_so() -> None:
    log = MemoryLog()
    async with receiver() as there, delivering(log, there.url):
        log.append(opening())
        await until(lambda: log.audited() == [("opened", "delivered")])
        (message,) = await there.messages()
        assert message["message"]["data"]["title"]["zh"] == "20 起投诉"
        assert message["webhook_id"] == f"msg_{log.reports()[0].delivery.webhook_id}"  # type: ignore[union-attr]


async def test_a_failing_receiver_is_tried_again_with_the_same_id() -> None:
    log = MemoryLog()
    async with receiver() as there, delivering(log, there.url):
        await there.told(status=500, times=4)
        log.append(opening())
        await until(log.audited)
        attempts = await there.attempts()
        assert [one["status"] for one in attempts] == [500] * 4 + [204]
        assert len({one["webhook_id"] for one in attempts}) == 1
        assert all(one["verified"] for one in attempts)


async def test_the_order_of_an_alert_is_kept_through_failures() -> None:
    log = MemoryLog()
    async with receiver() as there:
        await there.told(status=503, times=6)
        async with delivering(log, there.url, parallel=1):
            log.append(opening())
            log.append(fact(1, level=2))
            log.append(fact(2, status="resolved"))
            log.append(opening(alert_id=ALERTS[1]))
            await until(lambda: len(log.audited()) == 3)
        mine = [one for one in await there.messages() if one["message"]["data"]["alert_id"] == ALERTS[0]]
        assert [one["message"]["type"] for one in mine] == ["alert.opened", "alert.resolved"]
        assert [one["times"] for one in await there.messages()] == [1] * 3


@pytest.mark.parametrize("as_date", [False, True])
async def test_retry_after_holds_back_everything_for_that_receiver(as_date: bool) -> None:
    log = MemoryLog()
    async with receiver() as there, delivering(log, there.url, parallel=2):
        until_when = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=3)
        at = format_datetime(until_when, usegmt=True) if as_date else "2"
        await there.told(status=429, times=1, retry_after=at)
        log.append(opening())
        await until(lambda: log.machine.waiting() == 1)
        await there.attempted()
        log.append(opening(alert_id=ALERTS[1]))
        await until(lambda: len(log.audited()) == 2)
        first, *later = await there.attempts()
        assert len(later) == 2
        free_at = until_when.timestamp() if as_date else first["at"] + 2
        assert min(one["at"] for one in later) >= free_at - 0.1


async def test_410_ends_it_at_once_visibly_and_nothing_piles_up() -> None:
    log = MemoryLog()
    async with receiver() as there, delivering(log, there.url) as health:
        assert health.ready()
        await there.told(status=410)
        log.append(opening())
        await until(log.audited)
        log.append(opening(alert_id=ALERTS[1]))
        log.append(fact(1, alert_id=ALERTS[1], status="resolved"))
        await until(lambda: log.machine.waiting() == 0)
        assert log.audited() == [("opened", "failed")] * 2
        assert len(await there.attempts()) == 1
        assert not health.ready()
        assert health.live()
        assert "410" in health.states()[0].reason


async def test_a_redirect_is_not_followed() -> None:
    log = MemoryLog()
    async with receiver() as there, receiver() as elsewhere, delivering(log, there.url):
        await there.told(status=307, times=2, location=elsewhere.url)
        log.append(opening())
        await until(log.audited)
        assert [one["status"] for one in await there.attempts()] == [307, 307, 204]
        assert await elsewhere.attempts() == []


async def test_a_restart_goes_on_with_the_same_message() -> None:
    log = MemoryLog()
    async with receiver() as there:
        await there.told(status=500)
        async with delivering(log, there.url):
            log.append(opening())
            await until(lambda: log.machine.waiting() == 1)
            await there.attempted(2)
        log.machine = build(0)
        await there.told(status=200, times=0)
        log.held = True
        async with delivering(log, there.url):
            log.outputs.clear()
            log.catch_up()
            await until(log.audited)
        assert len({one["webhook_id"] for one in await there.attempts()}) == 1
        assert await there.types() == ["opened"]


async def test_what_the_log_says_was_delivered_is_not_sent_again_before_the_machine_has_caught_up() -> None:
    log = MemoryLog()
    async with receiver() as there:
        async with delivering(log, there.url):
            log.append(opening())
            await until(log.audited)
        # The machine of the successor has a snapshot from before the delivery.
        log.machine = build(0)
        list(log.machine.apply(log.records[0]))
        log.held = True
        async with delivering(log, there.url):
            log.append(opening(alert_id=ALERTS[1]))
            log.kick(0)
            await asyncio.sleep(0.2)  # that nothing happens cannot be awaited
            assert log.machine.waiting() == 1
            log.catch_up()
            await until(lambda: log.machine.waiting() == 0)
        assert [one["times"] for one in await there.messages()] == [1, 1]


async def test_a_message_whose_report_the_machine_has_not_seen_yet_is_not_sent_again() -> None:
    log = MemoryLog()
    async with receiver() as there, delivering(log, there.url):
        log.append(opening())
        log.held = True
        await until(log.reports)
        for _ in range(5):
            log.kick(0)
            await asyncio.sleep(0.05)  # that nothing happens cannot be awaited
        assert log.machine.waiting() == 1
        log.catch_up()
        assert log.audited() == [("opened", "delivered")]
        assert len(await there.attempts()) == 1


async def test_a_message_is_given_up_when_its_time_in_the_log_is_over() -> None:
    log = MemoryLog()
    async with receiver() as there, delivering(log, there.url, patience=Patience(0.01, 0.02, give_up_after_s=0.3)):
        await there.told(status=500)
        log.append(opening())
        log.append(fact(1, status="resolved"))
        await until(log.audited)
        assert log.audited() == [("opened", "failed")]
        (report,) = log.reports()
        assert report.delivery is not None
        assert (report.delivery.status_code, report.delivery.outcome) == (500, "failed")
        assert "answered 500" in (report.delivery.error or "")


async def test_a_bug_in_a_renderer_costs_the_message_its_form_only_and_the_audit_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log, render = MemoryLog(), Webhook.render

    def renders_some(self: Webhook, notice: Notice, now: float) -> Request:
        if notice.due.alert_id == ALERTS[0]:
            raise KeyError("a bug")
        return render(self, notice, now)

    monkeypatch.setattr(Webhook, "render", renders_some)
    async with receiver() as there, delivering(log, there.url):
        log.append(opening())
        log.append(opening(alert_id=ALERTS[1]))
        await until(lambda: len(log.audited()) == 2)
        assert await there.types() == ["opened"] * 2
    whys = {report.alert_id: report.delivery.error for report in log.reports() if report.delivery is not None}
    assert whys == {ALERTS[0]: PLAIN.en, ALERTS[1]: None}


async def test_a_message_that_no_code_can_send_is_given_up_in_its_time_and_what_follows_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    log = MemoryLog()
    broken = True

    def understands(self: Webhook, reply: Reply) -> Answer:
        if broken:
            raise KeyError("a bug")
        return Answer(reply.status)

    monkeypatch.setattr(Webhook, "understand", understands)
    async with receiver() as there, delivering(log, there.url, patience=Patience(0.01, 0.02, give_up_after_s=0.3)):
        log.append(opening())
        await until(log.audited)
        broken = False
        log.append(fact(1, level=2))
        await until(lambda: len(log.audited()) == 2)
    assert log.audited() == [("opened", "failed"), ("opened", "delivered")]
    assert BUG.en in str(log.reports()[0].delivery)


async def test_a_message_whose_time_ran_out_while_nobody_was_there_is_tried_once_all_the_same() -> None:
    log = MemoryLog()
    log.append(opening(), at_ms=int(time.time() * 1000) - 100 * 86_400_000)
    async with receiver() as there, delivering(log, there.url):
        await until(log.audited)
        assert await there.types() == ["opened"]


async def test_without_a_receiver_each_message_is_recorded_once() -> None:
    log = MemoryLog()
    async with delivering(log, None) as health:
        log.append(opening())
        log.append(fact(1, level=2))
        log.append(fact(2, status="resolved"))
        await until(lambda: log.machine.waiting() == 0)
        assert health.ready()
    assert log.audited()[0] == ("opened", "recorded")
    assert {outcome for _, outcome in log.audited()} == {"recorded"}
    audited = len(log.audited())
    async with delivering(log, None):
        await asyncio.sleep(0)
    assert len(log.audited()) == audited


async def test_many_alerts_go_side_by_side_but_never_more_than_allowed() -> None:
    log = MemoryLog()
    policy = Policy(version=1, alerting=AlertingPolicy(storm=Storm(alerts=len(MANY))))
    log.put(b"policy", PolicyInForce(policy=policy).model_dump_json().encode())
    async with receiver() as there, delivering(log, there.url, parallel=4):
        await there.told(delay_s=0.05)
        for alert_id in MANY:
            log.append(opening(alert_id=alert_id))
        await until(lambda: len(log.audited()) == len(MANY))
        attempts = await there.attempts()
        at_once = [sum(one["at"] <= at["at"] < one["answered_at"] for one in attempts) for at in attempts]
        assert 2 <= max(at_once) <= 4


async def test_neither_secret_nor_address_nor_answer_gets_into_logs_or_reports(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = MemoryLog()
    caplog.set_level(logging.DEBUG, logger="services")
    async with receiver() as there:
        for url in (f"{there.url}/hidden-path", "http://hidden-host.invalid/", "http://127.0.0.1:1/hidden"):
            await there.told(status=500, times=1, body="hidden-answer")
            async with delivering(log, url, patience=Patience(0.01, 0.02, give_up_after_s=0.2)):
                log.append(opening(alert_id=derive(url)))
                await until(lambda: log.machine.waiting() == 0)
    said = caplog.text + "".join(str(vars(record)) for record in caplog.records) + str(log.records) + str(log.outputs)
    assert "an attempt failed" in said
    assert "could not connect" in said
    assert "hidden" not in said
    assert SECRET.removeprefix("whsec_") not in said


async def test_stopping_does_not_wait_for_a_receiver_that_is_slow() -> None:
    log = MemoryLog()
    async with receiver() as there:
        async with delivering(log, there.url):
            await there.told(delay_s=20, times=1)
            log.append(opening())
            await there.attempted()
            began = time.monotonic()
        assert time.monotonic() - began < 10
        async with delivering(log, there.url):
            await until(log.audited)
        assert len({one["webhook_id"] for one in await there.attempts()}) == 1
