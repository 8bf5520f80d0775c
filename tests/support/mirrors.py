"""A server of files on this machine that behaves, or misbehaves, as requested."""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """Serves `files`, with an answer for each path.

    An answer is bytes, a status code, a special word, or a word and bytes. A list has an answer for each request.
    """

    files: dict[str, object]
    asked: list[str]
    closing: threading.Event

    def do_GET(self) -> None:
        self.asked.append(self.path)
        answer = self.files.get(self.path, 404)
        if isinstance(answer, list):  # one after another; the last one stays
            answer = answer.pop(0) if len(answer) > 1 else answer[0]
        match answer:
            case int(status):
                self.send_error(status)
            case (int(status), int(wait_s)):
                self.send_response(status)
                self.send_header("Retry-After", str(wait_s))
                self.end_headers()
            case "loop":
                self.send_response(302)
                self.send_header("Location", self.path)
                self.end_headers()
            case "silence":
                self.closing.wait(SLOW_S)
            case "trickle":
                self.start(100_000)
                until = time.monotonic() + SLOW_S
                while time.monotonic() < until and not self.closing.wait(0.1):
                    self.wfile.write(b"x")
                    self.wfile.flush()
            case ("cut", bytes(content)):
                self.start(len(content))
                self.wfile.write(content[: len(content) // 2])
            case ("of unknown length", bytes(content)):
                self.start(None)
                self.wfile.write(content)
            case bytes(content):
                self.start(len(content))
                self.wfile.write(content)
            case other:
                raise AssertionError(f"no answer is known for {other!r}")

    def start(self, n_bytes: int | None) -> None:
        self.send_response(200)
        if n_bytes is not None:
            self.send_header("Content-Length", str(n_bytes))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


SLOW_S = 120.0  # how long a server is silent, or sends a byte now and then


class Server:
    def __init__(self, files: dict[str, object]) -> None:
        self.handler = type("H", (Handler,), {"files": files, "asked": [], "closing": threading.Event()})
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), self.handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, args=[0.02], daemon=True).start()  # seconds until it can stop
        self.url = f"http://127.0.0.1:{self.http.server_port}/"

    def close(self) -> None:
        self.handler.closing.set()
        self.http.shutdown()
        self.http.server_close()
