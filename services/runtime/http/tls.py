"""The certificates that connections to Kafka are made with, and the one that our own HTTP shows."""

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


class ServerCertificate:
    """What our HTTP shows to its callers. Raises ValueError where the files are not what they should be.

    Both are PEM, the certificate followed by those that vouch for it; the key is not encrypted.
    """

    def __init__(self, cert_file: Path, key_file: Path) -> None:
        self._files = (cert_file, key_file)
        self.context = _server_context(cert_file, key_file)
        self._seen = self._marks()

    def renew(self) -> bool:
        """Takes up files that have changed, for connections from now on; whether it did.

        Two that do not fit together, as while one of them is being replaced, raise ValueError and are not taken.
        """
        marks = self._marks()
        if marks == self._seen:
            return False
        _server_context(*self._files)
        self.context.load_cert_chain(*self._files, password="")
        self._seen = marks
        return True

    def _marks(self) -> list[tuple[int, int]]:
        """What changes with the files, also where a link to them is turned."""
        try:
            return [(each.st_mtime_ns, each.st_ino) for each in (file.stat() for file in self._files)]
        except OSError:
            return []


def server_certificate(cert_file: Path | None, key_file: Path | None) -> ServerCertificate | None:
    """The certificate of these settings; None where there is none. Raises ValueError also for one without the other."""
    if cert_file is None and key_file is None:
        return None
    if cert_file is None or key_file is None:
        raise ValueError("a certificate and its key go together")
    return ServerCertificate(cert_file, key_file)


def _server_context(cert_file: Path, key_file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert_file, key_file, password="")
    except (OSError, ValueError):
        raise ValueError("the two files hold no certificate with its unencrypted key in PEM form") from None
    return context
