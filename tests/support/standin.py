"""A service so small that only the launcher is under test: answers /readyz, and misbehaves when told to.

    python -m tests.support.standin [--grandchild FILE] [--stubborn] [--refuse]

Listens on TIDEGATE_STANDIN_PORT.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Ready(BaseHTTPRequestHandler):
    """Says yes to everything."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok": true, "parts": {}}')

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--grandchild", type=Path, help="start one that outlives a polite parent; its pid goes here")
    parser.add_argument("--stubborn", action="store_true", help="do not end on SIGTERM")
    parser.add_argument("--refuse", action="store_true", help="end with 2 as for bad settings")
    options = parser.parse_args()
    if options.refuse:
        print("bad settings:\n  TIDEGATE_STANDIN_COLOUR: is required", file=sys.stderr)
        return 2
    if options.grandchild is not None:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        options.grandchild.write_text(str(child.pid), encoding="utf-8")
    if options.stubborn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    server = HTTPServer(("127.0.0.1", int(os.environ["TIDEGATE_STANDIN_PORT"])), Ready)
    print('{"level": "error", "event": "a stand-in is up", "service": "standin"}', flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
