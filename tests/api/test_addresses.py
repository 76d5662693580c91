"""Where the service listens: either protocol, both, a name, and a port that nobody else has."""

import json
import os
import socket
import subprocess
import sys

import httpx
import pytest

from tests.running import ROOT, Serve, Service, free_port


def has_ipv6() -> bool:
    """Whether this machine has an address of IPv6's."""
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6: enable it for the loopback interface")


def check(**environment: str) -> subprocess.CompletedProcess[str]:
    """What the container's health check says."""
    return subprocess.run(
        [sys.executable, "-m", "api.healthcheck"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.mark.parametrize(
    ("host", "reachable"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("0.0.0.0", ["127.0.0.1"]),
        pytest.param("::1", ["[::1]"], marks=needs_ipv6),
        pytest.param("::", ["127.0.0.1", "[::1]"], marks=needs_ipv6),
        ("localhost", ["127.0.0.1"]),
    ],
)
def test_every_address_is_served(serve: Serve, model_directory: str, host: str, reachable: list[str]) -> None:
    """Requests, metrics and the health check reach a service wherever HOST has it listen; logs show plain addresses."""
    port, metrics = str(free_port()), str(free_port())
    service = serve(MODEL_PATH=str(model_directory), HOST=host, PORT=port, METRICS_PORT=metrics)
    assert service.url, service.log.read_text()
    assert service.url.removeprefix("http://").removesuffix(f":{port}") in ("127.0.0.1", "[::1]")
    for address in reachable:
        answer = httpx.get(f"http://{address}:{port}/nowhere")
        assert answer.status_code == 404
        line = next(
            line for line in service.lines_until_now() if line.get("request_id") == answer.headers["x-request-id"]
        )
        assert line["client"] == address.strip("[]")
        assert httpx.get(f"http://{address}:{metrics}/metrics").status_code == 200
    checked = check(HOST=host, PORT=port)
    assert checked.returncode == 0, checked.stderr


def test_health_check_asks_where_the_service_listens(service: Service) -> None:
    """A service on another address than HOST says is not taken for this one."""
    assert check(HOST="127.0.0.2", PORT=service.url.rpartition(":")[2]).returncode == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "2001:db8::1", "é" * 70, "1.2.3.4.5"])
def test_impossible_host_ends_the_start(serve: Serve, host: str) -> None:
    """An address that is not this machine's is named, before anything is loaded."""
    ended = serve(MODEL_PATH="somewhere", HOST=host)
    assert ended.process.wait(60) == 1
    (line,) = ended.lines()
    assert f"SettingsError: cannot listen on HOST={host} PORT=0: " in line["message"]
    assert "correct HOST" in line["message"]


EARLY = """
import sys
from api.__main__ import main
code = main()
print([name for name in ("numpy", "litestar", "uvicorn", "botocore") if name in sys.modules])
sys.exit(code)
"""


@pytest.mark.parametrize("setting", ["PORT", "METRICS_PORT"])
def test_taken_port_is_found_at_once(serve: Serve, service: Service, setting: str) -> None:
    """A port that somebody else has ends the start before anything slow, with a command that would work."""
    taken = int(service.url.rpartition(":")[2])
    ended = serve(arguments=("-c", EARLY), MODEL_PATH="somewhere", **{setting: str(taken)})
    assert ended.process.wait(60) == 1
    imported, line = sorted(ended.log.read_text().splitlines())
    assert imported == "[]"
    message = json.loads(line)["message"]
    assert f"{setting}={taken} is taken on HOST=127.0.0.1" in message
    other = f"{setting}={taken + 1}"
    assert f"`{other} make run`, `{other} make serve` or `{other} python -m api`" in message


RACE = """
import socket, sys
from api import loading
from api.__main__ import main

def load(settings, write):
    other = socket.socket()
    other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    other.bind((settings.host, settings.port))
    other.listen()
    sys.other = other
    return load_model(settings, write)

load_model, loading.load_model = loading.load_model, load
sys.exit(main())
"""


def test_port_that_is_taken_meanwhile(serve: Serve, model_directory: str) -> None:
    """Whoever begins to listen there while the model loads ends the start in one sentence too."""
    port = str(free_port())
    ended = serve(arguments=("-c", RACE), MODEL_PATH=str(model_directory), PORT=port)
    assert ended.process.wait(60) == 1
    assert ended.lines()[-1]["message"].startswith(f"SettingsError: cannot listen at http://127.0.0.1:{port} any more")
    assert not [line for line in ended.lines() if "exception" in line]
