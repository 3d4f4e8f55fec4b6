"""The certificates that connections to Kafka are made with."""

import ssl
from pathlib import Path


class TlsFileError(ValueError):
    """A file that is not what it should be: `field` is the setting that names it."""

    def __init__(self, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{field}: {problem}")


def client_context(ca_file: Path | None, cert_file: Path | None, key_file: Path | None) -> ssl.SSLContext:
    """Verifies brokers and their names, and shows our certificate if there is one. Raises TlsFileError.

    Without `ca_file` the system's authorities vouch for the brokers. All files are PEM; the key is not encrypted.
    """
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError:  # an SSLError is one
        raise TlsFileError("kafka_tls_ca_file", "the file holds no certificate in PEM form") from None
    if cert_file is not None:
        try:
            # A password of ours, since OpenSSL would ask on the terminal for that of an encrypted key.
            context.load_cert_chain(cert_file, key_file, password="")
        except (OSError, ValueError):
            problem = "this and the key's file hold no certificate with its unencrypted key in PEM form"
            raise TlsFileError("kafka_tls_cert_file", problem) from None
    return context
