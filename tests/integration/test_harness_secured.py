"""The harness where Kafka wants to know who is there: Faust's consumer, outputs and snapshots over TLS and SASL."""

from pathlib import Path

from deploy.embedded.broker import Broker
from deploy.ports import free_port
from services.runtime.kafka import kafka_io
from services.runtime.settings import CommonSettings
from tests.support.secured import HOST, PASSWORD, credentials, pem_files, secured
from tests.support.workers import Worker, append, fleet, given, snapshot, truth, wait_for_outputs


async def test_a_worker_works_dies_and_goes_on_over_tls_and_sasl(tmp_path: Path) -> None:
    ports, pem = [free_port() for _ in range(3)], pem_files(tmp_path)
    known = credentials(pem)
    environ = {f"TIDEGATE_{name.upper()}": str(value) for name, value in known.items()}
    async with Broker(tmp_path / "kafka", ports[0], secured(ports, pem)), fleet() as workers:
        settings = CommonSettings(kafka=f"{HOST}:{ports[1]}", **known)
        await kafka_io.ensure_topics(settings)
        await append(settings, [b"k%d" % (number % 7) for number in range(200)])
        workers.append(first := Worker(settings, tmp_path, TOY_SNAPSHOT_S="0.3", **environ))
        await wait_for_outputs(settings, 200)
        first.kill()
        await append(settings, [b"k%d" % (number % 7) for number in range(100)])
        workers.append(second := Worker(settings, tmp_path, TOY_SNAPSHOT_S="0.3", **environ))
        await wait_for_outputs(settings, 300)
        assert await second.stop() == 0
        expected, outputs = await truth(settings), await given(settings)
        assert {number: list(dict.fromkeys(each)) for number, each in outputs.items()} == expected
        assert all([await snapshot(settings, number) for number in expected])
        assert PASSWORD not in first.text + second.text
