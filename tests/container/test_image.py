"""What is in the image, and what is not."""

import json
from pathlib import Path

from tests.california import EXAMPLE
from tests.container import engine

# Uncompressed, and without XGBoost: what our layers may add to the base.
MOST_BYTES = 130_000_000


def shell(image: str, script: str) -> str:
    """What a shell in the image prints."""
    return engine.docker("run", "--rm", "--network", "none", "--entrypoint", "/bin/sh", image, "-c", script)


def test_adds_little_to_its_base(any_image: str) -> None:
    """Our layers add less than 130 MB to the base image."""
    base = any_image.replace("california-housing-api:test-", "python:")
    sizes = [json.loads(engine.docker("inspect", tag))[0]["Size"] for tag in (any_image, base)]
    assert 0 < sizes[0] - sizes[1] < MOST_BYTES


def test_has_only_what_predicting_needs(any_image: str) -> None:
    """There is no pip, XGBoost, scipy, MLflow, training code, test or model in it."""
    for module in ("pip", "xgboost", "scipy", "mlflow", "pandas", "sklearn", "boto3", "training", "stack", "tests"):
        found = shell(any_image, f"python -c 'import {module}' 2>&1; echo")
        assert f"No module named '{module}'" in found, module
    found = shell(
        any_image, "command -v pip pip3; find /usr /opt -type d -path '*python*' '(' -name pip -o -name ensurepip ')'"
    )
    assert found == ""
    assert shell(any_image, "find /opt/app -name '*.ubj' -o -name MLmodel") == ""
    assert shell(any_image, "ls /opt/app") == "api"


def test_is_compiled(any_image: str) -> None:
    """Every module has its bytecode: a read-only container could not write it, and would compile at every start."""
    missing = shell(
        any_image,
        "cd /opt && find app venv/lib -name '*.py' | while read f; do "
        'ls "$(dirname "$f")/__pycache__/$(basename "$f" .py)".*.pyc >/dev/null 2>&1 || echo "$f"; done',
    )
    assert missing == ""


def test_says_what_it_is_and_runs_as_nobody_special(any_image: str) -> None:
    """It runs as a fixed user without a name, checks its own health, and its labels name the revision."""
    config = json.loads(engine.docker("inspect", any_image))[0]["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "python", "-m", "api.healthcheck"]
    assert config["Labels"]["org.opencontainers.image.revision"] == "test"
    assert config["Cmd"] == ["python", "-m", "api"]


def test_answers_everything_without_what_was_left_out(any_image: str, readable_model: Path) -> None:
    """Locked down, it predicts, explains and documents itself: nothing that was left out of the image is missed."""
    flags = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp"]
    mount = ["--volume", f"{readable_model}:/model:ro", "--env", "MODEL_PATH=/model", "--env", "PORT=8033"]
    with engine.running(any_image, "--network", "host", *flags, *mount, "--health-interval", "1s") as container:
        state = container.wait(60)
        assert state["Running"], container.logs()
        script = (
            "import http.client, sys\n"
            "for method, path in [('GET', '/'), ('GET', '/docs'), ('GET', '/docs/openapi.json'), ('GET', '/model'),\n"
            "                     ('POST', '/predict'), ('POST', '/explain')]:\n"
            "    connection = http.client.HTTPConnection('127.0.0.1', 8033)\n"
            "    body = sys.argv[1] if method == 'POST' else None\n"
            "    connection.request(method, path, body, {'content-type': 'application/json'})\n"
            "    print(path, connection.getresponse().status)\n"
        )
        answers = engine.docker("exec", container.id, "python", "-c", script, json.dumps(EXAMPLE)).splitlines()
    assert [answer.split()[1] for answer in answers] == ["200"] * 6, answers
