"""Meta through `facebook-business`, which blocks: its calls run in threads. It is given no secret to keep, looks at no
variable of the environment, follows no redirect and tries nothing twice."""

import json
from functools import partial
from typing import Final

import requests
from facebook_business.api import FacebookAdsApi
from facebook_business.exceptions import FacebookRequestError
from facebook_business.session import FacebookSession

from services.channel_control.adapter import LibraryCall, Response
from services.channel_control.enforcing.reconcile import Trouble
from services.channel_control.lines.threads import Threads
from services.channel_control.platforms.meta_ads import VERSION

MAX_THREADS: Final = 64
_GARBLED: Final = Trouble(
    "bad_answer", "the platform's answer cannot be understood by its library", zh="平台官方库无法理解平台的答复"
)


class Line:
    """One session with one address. `timeout_s` is for each wait of the library: connecting, and each piece of an
    answer."""

    def __init__(self, url: str, timeout_s: float) -> None:
        session = FacebookSession(timeout=timeout_s)
        session.requests.trust_env = False
        session.requests.max_redirects = 0
        self._url = url
        self._session = session
        self._api = FacebookAdsApi(session, VERSION)
        self._threads = Threads(MAX_THREADS)

    async def close(self) -> None:
        """Gives the idle connections up; a call that hangs is left behind."""
        self._session.requests.close()

    async def send(self, call: LibraryCall) -> Response | Trouble:
        """One request to the node `path`."""
        return await self._threads.run(partial(self._send, call))

    def _send(self, call: LibraryCall) -> Response | Trouble:
        try:
            answer = self._api.call(
                call.method, (call.path,), dict(call.params), dict(call.headers), url_override=self._url
            )
            return Response(answer.status(), answer.headers(), answer.body().encode())
        except FacebookRequestError as error:
            return _refused(error)
        except requests.Timeout:
            raise TimeoutError from None
        except (requests.ConnectionError, requests.exceptions.ChunkedEncodingError) as error:
            name = type(error).__name__
            return Trouble("unreachable", f"the platform cannot be reached ({name})", zh=f"无法连接平台（{name}）")
        except (requests.RequestException, KeyError, TypeError, ValueError, AttributeError):
            return _GARBLED  # the library looks into answers without looking at what they are


def _refused(error: FacebookRequestError) -> Response | Trouble:
    """An answer that the library takes for a refusal, which one with a good status may be too."""
    status = error.http_status()
    if 200 <= status < 300:
        if not isinstance(error.body(), dict):
            return _GARBLED  # a page of whatever stands before the service
        return Trouble("refused", "the platform says that it did not do it", zh="平台称未执行")
    return Response(status, error.http_headers(), json.dumps(error.body()).encode())
