"""An S3 that misbehaves: a real HTTP server in front of moto's, which fails as it is told, request by request."""

import re
import socket
import struct
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ERROR = "<?xml version='1.0'?><Error><Code>{code}</Code><Message>{code}</Message></Error>"


class FaultyS3(ThreadingHTTPServer):
    """Passes requests on to `behind`, but for the `faults` that are still to come, the first one first."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, behind: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = behind
        self.faults: deque[str] = deque()
        self.asked: list[str] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that gives up is what the tests are about."""


@contextmanager
def faulty_s3(behind: str) -> Iterator[FaultyS3]:
    """A misbehaving S3 for the time of a test."""
    server = FaultyS3(behind)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    server: FaultyS3
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        fault = self.server.faults.popleft() if self.server.faults else "none"
        if re.fullmatch(r"\d{3} \w+", fault):
            status, code = fault.split()
            self._answer(int(status), ERROR.format(code=code).encode())
        elif re.fullmatch(r"\d{3}", fault):
            self._answer(int(fault), b"")
        elif fault == "403 of a proxy":
            self._answer(403, b"<html><p>You may not go there<br></html>")
        elif fault == "a length that is none":
            self.send_response(200)
            self.send_header("Content-Length", "abc")
            self.end_headers()
            self.close_connection = True
        elif fault == "reset":
            self._reset()
        elif fault == "silence":
            self.server.over.wait(30)
            self.close_connection = True
        elif fault == "garbage":
            self.wfile.write(b"\x00\x01 this is not HTTP\r\n\r\n")
            self.close_connection = True
        elif fault == "a login page":
            self._answer(200, b"<html>Please log in</html>")
        else:
            self._pass_on(fault)

    def do_HEAD(self) -> None:
        self.do_GET()

    def _pass_on(self, fault: str) -> None:
        url = self.server.behind + self.path
        same = urllib.request.Request(url, headers={"Authorization": self.headers["Authorization"]})
        try:
            with urllib.request.urlopen(same) as response:
                status, body = response.status, response.read()
        except urllib.error.HTTPError as error:
            status, body = error.code, error.read()
        if fault == "none":
            self._answer(status, body)
        elif fault == "a body cut short, its length corrected":
            self._answer(status, body[: len(body) // 2])
        elif fault == "a body without length":
            self._head(status)
            self.wfile.write(body)
            self.close_connection = True
        elif fault in ("a body cut short", "a reset in the body", "silence in the body"):
            self._head(status, len(body))
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            if fault == "a reset in the body":
                self._reset()
            elif fault == "silence in the body":
                self.wfile.flush()
                self.server.over.wait(30)
        else:
            assert fault == "a byte at a time"
            self._head(status, len(body))
            for i in range(len(body)):
                self.wfile.write(body[i : i + 1])
                if self.server.over.wait(0.2):
                    return

    def _answer(self, status: int, body: bytes) -> None:
        self._head(status, len(body))
        self.wfile.write(body)

    def _head(self, status: int, length: int | None = None) -> None:
        self.send_response(status)
        if length is None:
            self.send_header("Connection", "close")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True

    def log_request(self, *_: object) -> None:
        """Say nothing."""
