"""Run an S3 server on this machine, behind a proxy that produces the requested faults.

    python s3_server.py

The server is moto's. It lives in this process, which prints the address and ends with its standard input.
"""

import http.client
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

BUCKET = "studies"
IMPATIENT = {"timeout_s": 2.0, "retry_s": 8.0}  # for shared/storage/stores.py
SILENCE_S = 5.0  # longer than the time limit above


@contextmanager
def s3_server() -> Iterator[str]:
    """Yield the HOST:PORT of a server with one empty bucket."""
    with subprocess.Popen(
        [sys.executable, Path(__file__)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def environment(host: str) -> dict[str, str]:
    """Return the environment that directs a user's S3 library to `host`."""
    return {
        "AWS_ENDPOINT_URL": f"http://{host}",
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@dataclass
class Faults:
    """The faults of the next PUTs of objects, one each, and the fault of all later ones.

    A fault is "" (none), "503", "cut" (the connection ends in mid-body) or "silence" (no answer).
    """

    next: deque[str] = field(default_factory=deque)
    always: str = ""
    met: list[str] = field(default_factory=list)
    puts: list[str] = field(default_factory=list)  # paths of the objects to be written

    def take(self, path: str) -> str:
        self.puts.append(path)
        fault = self.next.popleft() if self.next else self.always
        if fault:
            self.met.append(fault)
        return fault


@contextmanager
def faulty_proxy(host: str, faults: Faults) -> Iterator[str]:
    """Yield the HOST:PORT of a proxy of `host`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            fault = faults.take(self.path) if self.command == "PUT" else ""
            if fault == "cut":
                self.rfile.read(length // 2)
                self.close_connection = True
                return
            body = self.rfile.read(length)
            if fault == "silence":
                time.sleep(SILENCE_S)
                self.close_connection = True
                return
            if fault == "503":
                self.answer(503, {}, b"<Error><Code>ServiceUnavailable</Code><Message>Come back</Message></Error>")
                return
            connection = http.client.HTTPConnection(host, timeout=30)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            given = connection.getresponse()
            self.answer(given.status, dict(given.getheaders()), given.read())
            connection.close()

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward

        def answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            kept = {k: v for k, v in headers.items() if k.lower() not in ("connection", "transfer-encoding")}
            if self.command != "HEAD":
                kept = {k: v for k, v in kept.items() if k.lower() != "content-length"}
                kept["Content-Length"] = str(len(body))
            for key, value in kept.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def main() -> None:
    """Serve until standard input ends."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    os.environ |= environment(f"{host}:{port}")
    boto3.client("s3").create_bucket(Bucket=BUCKET)
    print(f"{host}:{port}", flush=True)
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
