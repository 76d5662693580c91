"""The process that loads the model: it takes what only loading needs with it, and never outlives the start."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from api.store.manifest import LATEST, MANIFEST_NAME
from tests.california import MODELS_PREFIX
from tests.conftest import published_bucket
from tests.running import ROOT, Serve, free_port

REPLACED = """
import os, signal, sys
from api import loading
from api.__main__ import main

def fetch(*_):
    {instead}

loading.fetch = fetch
sys.exit(main())
"""


def start_with(serve: Serve, instead: str) -> list[str]:
    """What a service logs that does something else instead of fetching its model; it ends with 1."""
    ended = serve(arguments=("-c", REPLACED.format(instead=instead)), MODEL_PATH="somewhere")
    assert ended.process.wait(30) == 1
    return ended.log.read_text().splitlines()


def test_serving_process_never_had_an_s3_client(store: Path, moto_url: str) -> None:
    """The service keeps the model from S3 without what fetched it: neither botocore's memory nor its credentials."""
    bucket = published_bucket("loading-models", store)
    script = (
        "import sys\n"
        "from api.loading import load_model\n"
        "from api.settings import Settings\n"
        f"settings = Settings(model_bucket={bucket!r}, model_path={f'{MODELS_PREFIX}/{LATEST}'!r})\n"
        "model = load_model(settings, sys.stdout.buffer.write)\n"
        "print(model.version, len(model.trees.layout.left) > 1000, 'botocore' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "1 True False"


def test_loading_that_is_killed_is_explained(serve: Serve) -> None:
    """A loading process killed by the kernel, as when memory runs out, ends the start with the likely cause."""
    last = start_with(serve, "os.kill(os.getpid(), signal.SIGKILL)")[-1]
    assert "ModelUnavailable: the model at this machine:somewhere was not loaded" in last
    assert "want of memory" in last


def test_fault_of_ours_leaves_its_traceback(serve: Serve) -> None:
    """An error that nobody foresaw is in the log with its traceback, and the last line points there."""
    lines = start_with(serve, "raise ZeroDivisionError('a fault of ours')")
    assert any("a fault of ours" in json.loads(line).get("exception", "") for line in lines[:-1])
    assert "see the log above" in lines[-1]


def test_refused_model_is_never_called_served(serve: Serve, damaged_directory: Path) -> None:
    """What the log says of a directory without a manifest, it says once the model has been accepted."""
    plain = damaged_directory.rename(damaged_directory.with_name("plain"))
    (plain / MANIFEST_NAME).unlink()
    accepted = serve(MODEL_PATH=str(plain))
    assert [line["level"] for line in accepted.lines() if "served without verification" in line["message"]] == [
        "WARNING"
    ]
    (plain / "model.ubj").write_bytes(b"{}")
    refused = serve(MODEL_PATH=str(plain))
    assert refused.process.wait(30) == 1
    assert [line["level"] for line in refused.lines()] == ["CRITICAL"]


@pytest.mark.skipif(not shutil.which("setpriv"), reason="needs prlimit and setpriv: install util-linux")
def test_too_few_processes_end_the_start(model_directory: Path) -> None:
    """A process that may start no other ends with 1 and one sentence."""
    command = [sys.executable, "-m", "api"]
    if os.geteuid() == 0:
        # The kernel does not hold root to the limit; another user's interpreter must still be found where root's is.
        caps = ["--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"]
        command = ["setpriv", "--reuid", str(50_000 + os.getpid() % 10_000), "--clear-groups", *caps, *command]
    done = subprocess.run(
        ["prlimit", "--nproc=1", *command],
        cwd=ROOT,
        env={**os.environ, "MODEL_PATH": str(model_directory), "PORT": "0", "METRICS_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    last = json.loads(done.stdout.splitlines()[-1])
    assert last["level"] == "CRITICAL"
    assert "ResourceError: the process that loads the model cannot be started" in last["message"]
    assert "`ulimit -u`" in last["message"]


def test_locale_does_not_matter(serve: Serve, damaged_directory: Path, example: dict[str, float]) -> None:
    """Where Python takes everything for ASCII, a path in UTF-8 is read and logged like any other."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    directory = damaged_directory.rename(damaged_directory.with_name("modèle"))
    service = serve(MODEL_PATH=str(directory), **ascii_only)
    assert service.url, service.log.read_text()
    assert any(str(directory) in line["message"] for line in service.lines())
    with service.client() as client:
        assert client.post("/predict", json=example).status_code == 200
    missing = serve(MODEL_PATH=f"{directory}/œuvre", **ascii_only)
    assert missing.process.wait(30) == 1
    assert f"no model at {directory}/œuvre" in missing.lines()[-1]["message"]


def test_a_new_interpreter_loads_it_too(serve: Serve, model_directory: Path) -> None:
    """Where a fork is not safe, as on macOS, the model is loaded in a new interpreter."""
    script = (
        "import multiprocessing, sys\n"
        "from api import loading\n"
        "from api.__main__ import main\n"
        "if __name__ == '__main__':\n"
        "    loading.CONTEXT = multiprocessing.get_context('spawn')\n"
        "    sys.exit(main())\n"
    )
    service = serve(arguments=("-c", script), MODEL_PATH=str(model_directory))
    with service.client() as client:
        assert client.get("/ready").json()["status"] == "ready"
