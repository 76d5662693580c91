"""What a request's head may be: its bounds, and the few headers that decide how the request is read."""

from api.http.problems import ProblemError

MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers, and what follows a body in chunks; twice what a load balancer lets through."""

MAX_HEADERS = 100
"""Of one request: thousands of tiny ones would take 50 times the memory that they take on the wire."""

HEAD_TOO_LARGE = ProblemError(
    431, f"Request line and headers are larger than {MAX_HEAD_BYTES} bytes, or more than {MAX_HEADERS}."
)
ONE_HOST = ProblemError(400, "An HTTP/1.1 request has exactly one Host header.")
CODED = ProblemError(400, "The only Transfer-Encoding that this service reads is chunked.")


class Head:
    """The head of one request after the other, as it is read."""

    def __init__(self) -> None:
        self.bytes = self.headers = self.hosts = 0

    def begin(self) -> None:
        """The next request's."""
        self.bytes = self.headers = self.hosts = 0

    def add(self, name: bytes, value: bytes) -> None:
        """Take a header into account, whose name is in small letters.

        Raises:
            ProblemError: 431, or 400 for a coding that is not read.
        """
        if name == b"host":
            self.hosts += 1
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise CODED
        self.headers += 1
        self.bytes += len(name) + len(value)
        if self.bytes > MAX_HEAD_BYTES or self.headers > MAX_HEADERS:
            raise HEAD_TOO_LARGE

    def end(self, url: bytes, version: str) -> None:
        """Check the head as a whole.

        Raises:
            ProblemError: 431, or 400 for a host too many or too few.
        """
        if self.bytes + len(url) > MAX_HEAD_BYTES:
            raise HEAD_TOO_LARGE
        if self.hosts != 1 and (self.hosts or version != "1.0"):
            raise ONE_HOST
