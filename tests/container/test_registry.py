"""The image goes through a real registry, and what is pulled by digest is what runs."""

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.container import engine
from tests.running import free_port


@pytest.fixture
def registry(docker_engine: None, tmp_path: Path) -> Iterator[str]:
    program = shutil.which("docker-registry")
    if program is None:
        pytest.skip("no OCI registry: Debian has one, apt-get install docker-registry")
    port = free_port()
    address = f"127.0.0.1:{port}"
    settings = tmp_path / "registry.yml"
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}
    # YAML reads JSON.
    settings.write_text(json.dumps({"version": 0.1, "storage": storage, "http": {"addr": address}}))
    process = subprocess.Popen([program, "serve", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            assert time.monotonic() < deadline, "the registry does not listen"
            time.sleep(0.05)
    yield address
    process.terminate()
    process.wait(10)


def test_pushed_pulled_by_digest_and_run(image: str, registry: str, readable_model: Path) -> None:
    """The digest that a push gives names an image that serves."""
    tag = f"{registry}/california-housing-api:pushed"
    engine.docker("tag", image, tag)
    engine.docker("push", tag)
    by_digest = next(d for d in json.loads(engine.docker("inspect", tag))[0]["RepoDigests"] if d.startswith(registry))
    engine.docker("rmi", tag)
    engine.docker("pull", by_digest)
    mount = ["--volume", f"{readable_model}:/model:ro", "--env", "MODEL_PATH=/model", "--env", "PORT=8034"]
    with engine.running(by_digest, "--network", "host", "--read-only", "--health-interval", "1s", *mount) as container:
        assert container.wait(60)["Running"], container.logs()
