"""`python -m api.relay`: prints the lines that the service sends it, the rows that CAPTURE_PERCENT keeps.

A container's standard output goes to one log. The relay is the service's image in a container of its own beside it, so
that captured rows, which may be people's data, lie in another log than requests, with its own readers and retention.
"""

import os
import signal
import socketserver
import sys
import threading
import time

HOST = "127.0.0.1"
PORT = 9001

MAX_LINE_BYTES = 256 * 1024 - 26
"""What CloudWatch Logs takes as one event; a longer line, which would be cut in parts, is left out."""

DRAIN_SECONDS = 25.0
"""How long SIGTERM waits for the service to end its connection; shorter than ECS's 30 before it kills."""

_ENDS = {signal.SIGTERM, signal.SIGINT}


class Relay(socketserver.ThreadingTCPServer):
    """Reads only as fast as standard output is read, so that its memory stays small and the service sees the jam."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, port: int) -> None:
        self.writing = threading.Lock()
        self.connections = 0
        super().__init__((HOST, port), _Connection)

    def drain(self, seconds: float) -> None:
        """Take no more connections, and wait for those that there are to end."""
        self.shutdown()
        self.socket.close()
        deadline = time.monotonic() + seconds
        while self.connections and time.monotonic() < deadline:
            time.sleep(0.02)


class _Connection(socketserver.StreamRequestHandler):
    server: Relay

    def setup(self) -> None:
        super().setup()
        with self.server.writing:
            self.server.connections += 1

    def handle(self) -> None:
        whole = True
        while line := self.rfile.readline(MAX_LINE_BYTES):
            ended = line.endswith(b"\n")
            # A line is printed whole or not at all, also the last one of a service that was killed.
            if whole and ended:
                with self.server.writing:
                    sys.stdout.buffer.write(line)
                    sys.stdout.buffer.flush()
            whole = ended

    def finish(self) -> None:
        with self.server.writing:
            self.server.connections -= 1
        super().finish()


def main() -> int:
    """Print lines until a signal ends it; returns the exit code."""
    # The thread that is started below inherits the mask, so that only this one is told.
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    port = os.environ.get("CAPTURE_PORT") or PORT
    try:
        relay = Relay(int(port))
    except (OSError, ValueError, OverflowError) as error:
        print(f"Error: CAPTURE_PORT={port}: {HOST} cannot be listened on there: {error}", file=sys.stderr)
        return 1
    threading.Thread(target=relay.serve_forever, args=(0.05,), daemon=True).start()
    signal.sigwait(_ENDS)
    relay.drain(DRAIN_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main())
