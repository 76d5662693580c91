"""Standard output as it may be: a full pipe, a slow reader, a terminal, a full disk, closed."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import httpx
import pytest

from tests.api.test_metrics import scrape
from tests.api.wire import Wire
from tests.running import ROOT, await_ok, free_port

REQUESTS = 3_000
LOST = b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
HOLDS_LITTLE = (
    "-c",
    """import sys
from api.http import output
from api.__main__ import main
output.MAX_HELD_BYTES = 2**18
sys.exit(main())
""",
)


@contextlib.contextmanager
def started(
    stdout: int | IO[bytes], arguments: Sequence[str] = ("-m", "api"), **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A service that writes there, and its URL; it is ready, or has ended."""
    port = str(free_port())
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PORT": port, **environment},
        stdout=stdout,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        await_ok(f"{url}/ready")
        yield process, url
    finally:
        process.kill()
        process.wait(10)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe's two ends."""
    ends = os.pipe()
    yield ends
    for end in ends:
        with contextlib.suppress(OSError):
            os.close(end)


def ask_often(url: str, times: int = REQUESTS) -> None:
    """Make requests that are logged, on one connection, some at a time; each is answered."""
    with Wire(url) as wire:
        for _ in range(times // 30):
            wire.send(LOST * 30)
            assert [wire.answer().status for _ in range(30)] == [404] * 30


def read_lines(descriptor: int, seconds_between: float = 0.0) -> list[dict[str, Any]]:
    """Everything that is written there until nobody can write any more, a page at a time."""
    parts = []
    while part := os.read(descriptor, 4096):
        parts.append(part)
        time.sleep(seconds_between)
    text = b"".join(parts)
    assert not text or text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def requests_in(lines: list[dict[str, Any]]) -> int:
    """How many of the lines are of requests that were made."""
    return sum(line.get("path") == "/nowhere" for line in lines)


def test_a_log_that_nobody_reads_holds_nobody_up(pipe: tuple[int, int], model_directory: Path) -> None:
    """With standard output full, thousands of requests and /health are answered, and SIGTERM ends it with 0."""
    with started(pipe[1], MODEL_PATH=str(model_directory)) as (process, url):
        ask_often(url)
        assert httpx.get(f"{url}/health").status_code == 200
        process.terminate()
        assert process.wait(20) == 0


def test_what_was_dropped_is_counted(pipe: tuple[int, int], model_directory: Path) -> None:
    """Lines are whole or absent; once the log is read again it says how many are missing, and a metric says so too."""
    metrics = str(free_port())
    with started(pipe[1], HOLDS_LITTLE, MODEL_PATH=str(model_directory), METRICS_PORT=metrics) as (process, url):
        os.close(pipe[1])
        ask_often(url)
        dropped = scrape(f"http://127.0.0.1:{metrics}/metrics")["log_lines_dropped_total",]
        assert dropped > 0
        lines: list[dict[str, Any]] = []
        reader = threading.Thread(target=lambda: lines.extend(read_lines(pipe[0])))
        reader.start()
        process.terminate()
        assert process.wait(20) == 0
        reader.join(20)
    notes = [line for line in lines if "are missing here" in line.get("message", "")]
    assert [note["level"] for note in notes] == ["WARNING"]
    # The line that says that SIGTERM came may be one of them.
    assert int(notes[0]["message"].split()[0]) - dropped in (0, 1)
    assert requests_in(lines) == REQUESTS - dropped


@pytest.mark.parametrize("blocking", [True, False])
def test_a_slow_reader_misses_nothing(pipe: tuple[int, int], model_directory: Path, blocking: bool) -> None:
    """A reader that falls behind gets every line, whole, also from a pipe that another program made non-blocking."""
    os.set_blocking(pipe[1], blocking)
    with started(pipe[1], MODEL_PATH=str(model_directory)) as (process, url):
        assert os.get_blocking(pipe[1]) == blocking, "others share the pipe: it is not ours to change"
        os.close(pipe[1])
        lines: list[dict[str, Any]] = []
        reader = threading.Thread(target=lambda: lines.extend(read_lines(pipe[0], 0.002)))
        reader.start()
        ask_often(url)
        process.terminate()
        assert process.wait(20) == 0
        reader.join(30)
    assert requests_in(lines) == REQUESTS


CHATTY_START = """
import logging, os, pathlib, sys, time
from api import loading
from api.__main__ import main

def fetch(*_):
    for i in range(3_000):
        logging.getLogger().info("line %d of a talkative loader", i)
    pathlib.Path(sys.argv[1]).write_text(str(os.getpid()))
    time.sleep(60)

loading.fetch = fetch
sys.exit(main())
"""


def test_a_start_that_nobody_listens_to_can_be_ended(pipe: tuple[int, int], tmp_path: Path) -> None:
    """While the model loads and standard output is full, loading goes on, and SIGTERM ends both processes."""
    told = tmp_path / "loading"
    process = subprocess.Popen(
        [sys.executable, "-c", CHATTY_START, str(told)],
        cwd=ROOT,
        env={**os.environ, "MODEL_PATH": "x", "PORT": "0"},
        stdout=pipe[1],
    )
    with process:
        while not told.exists() or not told.read_text():
            assert process.poll() is None
            time.sleep(0.01)
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        os.kill(int(told.read_text()), 0)


def test_a_log_that_cannot_be_written_holds_nobody_up(model_directory: Path) -> None:
    """A full disk costs the log, not the service."""
    with Path("/dev/full").open("wb") as full, started(full, MODEL_PATH=str(model_directory)) as (process, url):
        ask_often(url, 300)
        process.terminate()
        assert process.wait(20) == 0


def test_a_reader_that_went_away_holds_nobody_up(pipe: tuple[int, int], model_directory: Path) -> None:
    """When nobody can read standard output any more, requests are answered as before."""
    with started(pipe[1], MODEL_PATH=str(model_directory)) as (process, url):
        os.close(pipe[0])
        ask_often(url, 300)
        process.terminate()
        assert process.wait(20) == 0


FILLING = """
import logging, os, resource, sys, time
from api.http.output import Output

# What is lost is said on standard error too, at any moment.
logging.disable()
_, most = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (1_005, most))
output = Output(1)
for i in range(2_000):
    output.write(b"%09d\\n" % i)
while not output.dropped:
    time.sleep(0.01)
resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
output.write(b"the last\\n")
output.close()
print(output.dropped, file=sys.stderr)
"""


def test_a_line_that_was_begun_is_completed(tmp_path: Path) -> None:
    """A disk that fills up in the middle of a line gets the rest of it when there is room; other lines are counted."""
    log = tmp_path / "log"
    with log.open("wb") as stream:
        done = subprocess.run(
            [sys.executable, "-c", FILLING], cwd=ROOT, stdout=stream, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 0, done.stderr
    *numbers, last = log.read_text().splitlines()
    assert last == "the last"
    assert numbers == [f"{i:09}" for i in range(len(numbers))]
    assert len(numbers) + int(done.stderr.split()[-1]) == 2_000
    assert len(numbers) > 100


def test_closed_standard_output_ends_the_start(model_directory: Path) -> None:
    """Without any standard output there is no log: the process says so and ends with 1, rather than serve unheard."""
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -m api >&-', sys.executable],
        cwd=ROOT,
        env={**os.environ, "MODEL_PATH": str(model_directory), "PORT": "0"},
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "the log goes to standard output, which is closed: open it, to /dev/null for no log\n"


def test_other_streams_may_be_closed(model_directory: Path, tmp_path: Path) -> None:
    """Without standard input and error the service serves: nothing is read from the one or written to the other."""
    port = str(free_port())
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", 'exec "$0" -m api <&- 2>&-', sys.executable],
            cwd=ROOT,
            env={**os.environ, "MODEL_PATH": str(model_directory), "PORT": port},
            stdout=log,
        )
    try:
        await_ok(f"http://127.0.0.1:{port}/ready")
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait(10)


def on_a_terminal(model_directory: Path, **environment: str) -> str:
    """What a terminal shows of a service that is started, asked for a strange path, and ended."""
    terminal, device = pty.openpty()
    settings = termios.tcgetattr(device)
    settings[1] &= ~termios.OPOST
    termios.tcsetattr(device, termios.TCSANOW, settings)
    with started(device, MODEL_PATH=str(model_directory), **environment) as (process, url):
        os.close(device)
        httpx.get(f"{url}/%1b%5b31m%0aforged")
        process.terminate()
        assert process.wait(20) == 0
    shown = b""
    # A terminal that nobody writes to any more ends with an error.
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 4096):
            shown += part
    os.close(terminal)
    return shown.decode()


def test_people_get_text(model_directory: Path) -> None:
    """On a terminal the log is text, says which address to open, and no path of a caller's reaches the terminal raw."""
    shown = on_a_terminal(model_directory)
    assert re.search(
        r"^\d\d:\d\d:\d\d INFO +serving at http://127\.0\.0\.1:\d+: open it in a browser", shown, re.MULTILINE
    )
    assert re.search(r"INFO +404 GET /\\x1b\[31m\\nforged in \d+\.\d ms for 127\.0\.0\.1$", shown, re.MULTILINE)
    assert "\x1b" not in shown


def test_log_format_decides(model_directory: Path, tmp_path: Path) -> None:
    """LOG_FORMAT overrides what the output is: JSON on a terminal, text in a file."""
    assert all(json.loads(line) for line in on_a_terminal(model_directory, LOG_FORMAT="json").splitlines())
    log = tmp_path / "log"
    with log.open("wb") as stream, started(stream, MODEL_PATH=str(model_directory), LOG_FORMAT="text") as (process, _):
        process.terminate()
        assert process.wait(20) == 0
    assert not [line for line in log.read_text().splitlines() if line.startswith("{")]
