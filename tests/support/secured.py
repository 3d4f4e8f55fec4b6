"""A broker that wants TLS with certificates and SASL, and what its clients are told."""

from pathlib import Path
from typing import Any

from tests.certificates import self_signed

HOST = "127.0.0.1"
PASSWORD = "correct horse"


def pem_files(folder: Path) -> dict[str, Path]:
    """A certificate that vouches for itself, for the broker and the client alike: `cert`, `key`, and `both`."""
    cert_text, key_text = self_signed(HOST)
    files = {"cert": cert_text, "key": key_text, "both": key_text + cert_text}
    for file, content in files.items():
        (folder / file).write_bytes(content)
    return {file: folder / file for file in files}


def secured(ports: list[int], pem: dict[str, Path]) -> dict[str, str]:
    """Server properties of a broker with a second listener that wants a certificate and a password."""
    plain, secure, controller = ports
    login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    return {
        "listeners": f"PLAINTEXT://{HOST}:{plain},SECURE://{HOST}:{secure},CONTROLLER://{HOST}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{plain},SECURE://{HOST}:{secure}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT",
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listener.name.secure.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.secure.plain.sasl.jaas.config": f'{login} user_tidegate="{PASSWORD}";',
        "listener.name.secure.ssl.client.auth": "required",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(pem["both"]),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(pem["cert"]),
    }


def credentials(pem: dict[str, Path]) -> dict[str, Any]:
    """The settings of a client, by name."""
    return {
        "kafka_tls": True,
        "kafka_tls_ca_file": pem["cert"],
        "kafka_tls_cert_file": pem["cert"],
        "kafka_tls_key_file": pem["key"],
        "kafka_sasl_mechanism": "PLAIN",
        "kafka_sasl_username": "tidegate",
        "kafka_sasl_password": PASSWORD,
    }
