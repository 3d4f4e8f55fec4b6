"""What the embedded broker is told: its server properties and its command line. Pure."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import UUID

HOST = "127.0.0.1"
_RECORD_BYTES = 4 * 1024 * 1024
_BATCH_BYTES = _RECORD_BYTES + 64 * 1024  # a record of 4 MB travels in a batch with a head of its own


def server_properties(log_dir: Path, port: int, controller_port: int, extra: Mapping[str, str]) -> str:
    """Properties of one KRaft node that is broker and controller, on loopback only; `extra` has the last word."""
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "log.dirs": log_dir.as_posix(),
        # Topics are created by us, with partitions and retention; a typo must not make one.
        "auto.create.topics.enable": "false",
        "message.max.bytes": str(_BATCH_BYTES),
        "replica.fetch.max.bytes": str(_BATCH_BYTES),
        "socket.request.max.bytes": str(100 * 1024 * 1024),
        # One node: nothing to replicate to, and a handful of groups and transactional ids.
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
        # A killed broker comes back at once: its own old session must not keep it out for long.
        "broker.heartbeat.interval.ms": "500",
        "broker.session.timeout.ms": "3000",
        "controlled.shutdown.max.retries": "1",
        # Two cores are shared with all services.
        "num.network.threads": "2",
        "num.io.threads": "4",
        "num.recovery.threads.per.data.dir": "2",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "log.cleaner.backoff.ms": "5000",
        "log.segment.delete.delay.ms": "1000",
        **extra,
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def cluster_id(random: UUID) -> str:
    """Kafka's way to write a UUID; begins with a letter, since a dash would read as an option of its tool."""
    raw = random.bytes
    return base64.urlsafe_b64encode(bytes([raw[0] & 0x3F]) + raw[1:]).rstrip(b"=").decode()


def cluster_of(meta_properties: str) -> str:
    """The cluster id in the file that formatting leaves; empty if it holds none."""
    lines = (line.partition("=") for line in meta_properties.splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == "cluster.id"), "")


def java_command(
    java: Path, jars: Sequence[Path], heap_mb: int, options: Sequence[str], main: Sequence[str]
) -> list[str]:
    """The command line of one Java program from Kafka's jars; `main` is its class and arguments."""
    return [
        str(java),
        f"-Xmx{heap_mb}m",
        f"-Xms{min(heap_mb, 128)}m",
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",  # measured: ready twice as fast, and a third less CPU a record in the first minutes
        "--sun-misc-unsafe-memory-access=allow",  # Kafka unmaps its buffers with it; without this Java complains
        "-Djava.awt.headless=true",
        "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
        "-Dorg.slf4j.simpleLogger.showDateTime=true",
        "-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS",
        *options,
        "-cp",
        ":".join(str(jar) for jar in jars),
        *main,
    ]
