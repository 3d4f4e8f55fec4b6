"""`python -m services.runtime.http.probe_io`: whether the service of this container is ready; its health check.

The container's environment says where it listens, in the one variable of the form `TIDEGATE_…_PORT`. Nothing of ours is
imported: it runs every few seconds beside every service.
"""

import http.client
import os
import re
import ssl
import sys
from collections.abc import Mapping
from typing import Final

PATIENCE_S: Final = 5
_PORT: Final = re.compile(r"TIDEGATE_[A-Z_]+_PORT")
_CERTIFICATE: Final = re.compile(r"TIDEGATE_(CONSOLE|GATEWAY)_TLS_CERT_FILE")


def port(environ: Mapping[str, str]) -> int:
    """Where the service listens. Raises ValueError where that cannot be told."""
    found = sorted(name for name, value in environ.items() if _PORT.fullmatch(name) and value)
    if len(found) != 1:
        raise ValueError(f"one variable TIDEGATE_…_PORT must say where the service listens, not {len(found)}")
    return int(environ[found[0]])


def connection_of(environ: Mapping[str, str]) -> http.client.HTTPConnection:
    """To that port: by https where the service has a certificate, which names its host and not this container."""
    if any(_CERTIFICATE.fullmatch(name) and value for name, value in environ.items()):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection("127.0.0.1", port(environ), timeout=PATIENCE_S, context=context)
    return http.client.HTTPConnection("127.0.0.1", port(environ), timeout=PATIENCE_S)


def main() -> int:
    """0 when it is ready, 1 when not; what its parts say is printed, for those who look at the container."""
    connection = connection_of(os.environ)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        print(answer.read().decode(errors="replace"))
    except (OSError, http.client.HTTPException) as error:
        print(f"no answer: {error}")
        return 1
    finally:
        connection.close()
    return 0 if answer.status == http.client.OK else 1


if __name__ == "__main__":
    sys.exit(main())
