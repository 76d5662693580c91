"""The process that loads the model: it takes what only loading needs with it, and never outlives the start."""

import subprocess
import sys
from pathlib import Path

from api.store.manifest import LATEST, MODELS_PREFIX
from tests.conftest import published_bucket
from tests.running import ROOT, Serve

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
        f"model = load_model(Settings(model_bucket={bucket!r}, model_path={f'{MODELS_PREFIX}/{LATEST}'!r}))\n"
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
    assert any("a fault of ours" in line for line in lines[:-1])
    assert "see the log above" in lines[-1]


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
