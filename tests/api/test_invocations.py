"""POST /invocations beside a real `mlflow models serve` of the same model directory."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from tests.california import BOUNDS, EXAMPLE, FEATURES
from tests.running import Service, free_port

NAMES, ROW = list(FEATURES), list(EXAMPLE.values())
WITHOUT_INCOME = {name: value for name, value in EXAMPLE.items() if name != "MedInc"}
COLUMNS = {name: [value, value + 0.25] for name, value in EXAMPLE.items()}


def split(**changes: Any) -> dict[str, Any]:
    return {"dataframe_split": {"columns": NAMES, "data": [ROW], **changes}}


def csv(names: list[str] = NAMES, *rows: list[Any]) -> str:
    return "".join(",".join(map(str, line)) + "\n" for line in (names, *(rows or [ROW])))


BODIES: dict[str, Any] = {
    "split": split(),
    "split in another order": split(columns=NAMES[::-1], data=[ROW[::-1]]),
    "split with an extra column": split(columns=[*NAMES, "Ocean"], data=[[*ROW, "near"]]),
    "split with an index": split(index=[7]),
    "split of whole numbers": split(data=[[int(value) for value in ROW]]),
    "split of no rows": split(data=[]),
    "split of two rows": split(data=[ROW, ROW]),
    "split without a column": split(columns=NAMES[1:], data=[ROW[1:]]),
    "split without column names": split(columns=None),
    "split with a misnamed column": split(columns=["Income", *NAMES[1:]]),
    "split with a column twice": split(columns=[*NAMES, "MedInc"], data=[[*ROW, 1.0]]),
    "split with short rows": split(data=[ROW[1:]]),
    "split with long rows": split(data=[[*ROW, 1.0]]),
    "split with one short row": split(data=[ROW, ROW[1:]]),
    "split with an unknown key": split(rows=1),
    "split without data": {"dataframe_split": {"columns": NAMES}},
    "split of a row without its list": split(data=ROW),
    "split of a number": split(data=3),
    "split that is a list": {"dataframe_split": [ROW]},
    "split with columns that are a number": split(columns=5),
    "split with an index of another length": split(index=[1, 2]),
    "split of rows by name": split(data=[EXAMPLE]),
    "records": {"dataframe_records": [EXAMPLE, EXAMPLE | {"MedInc": 2}]},
    "records with an extra column": {"dataframe_records": [EXAMPLE | {"Ocean": "near"}]},
    "records of numbers in strings": {"dataframe_records": [EXAMPLE | {"MedInc": " 2.5 "}]},
    "records with a boolean": {"dataframe_records": [EXAMPLE | {"MedInc": True}]},
    "records beyond all bounds": {"dataframe_records": [EXAMPLE | {"Latitude": 51.5, "Population": -1}]},
    "records of nothing": {"dataframe_records": []},
    "records of an empty record": {"dataframe_records": [{}]},
    "records without a column": {"dataframe_records": [WITHOUT_INCOME]},
    "records with a word": {"dataframe_records": [EXAMPLE | {"MedInc": "high"}]},
    "records with an empty string": {"dataframe_records": [EXAMPLE | {"MedInc": ""}]},
    "records with a list": {"dataframe_records": [EXAMPLE | {"MedInc": [1]}]},
    "records with an object": {"dataframe_records": [EXAMPLE | {"MedInc": {"a": 1}}]},
    "records with a number beyond float32": {"dataframe_records": [EXAMPLE | {"MedInc": 1e300}]},
    "records of numbers": {"dataframe_records": [1, 2]},
    "records of lists": {"dataframe_records": [ROW]},
    "records and nothing": {"dataframe_records": [EXAMPLE, None]},
    "records that are a record": {"dataframe_records": EXAMPLE},
    "records that are null": {"dataframe_records": None},
    "records with null": {"dataframe_records": [EXAMPLE | {"MedInc": None}]},
    "records of which one lacks a column": {"dataframe_records": [EXAMPLE, WITHOUT_INCOME]},
    "instances": {"instances": [EXAMPLE, EXAMPLE]},
    "instances by column": {"instances": COLUMNS},
    "instances with an extra column": {"instances": [EXAMPLE | {"Ocean": 1}]},
    "instances of numbers in strings": {"instances": [EXAMPLE | {"MedInc": "2.5"}]},
    "instances without a column": {"instances": [WITHOUT_INCOME]},
    "instances with a word": {"instances": [EXAMPLE | {"MedInc": "high"}]},
    "instances of lists": {"instances": [ROW]},
    "instances of nothing": {"instances": []},
    "instances of a number": {"instances": 3},
    "instances and a number": {"instances": [EXAMPLE, 1]},
    "instances with null": {"instances": [EXAMPLE | {"MedInc": None}]},
    "instances with a list": {"instances": [EXAMPLE | {"MedInc": [1.0]}]},
    "inputs of one row": {"inputs": EXAMPLE},
    "inputs by column": {"inputs": COLUMNS},
    "inputs by row": {"inputs": [EXAMPLE, EXAMPLE]},
    "inputs with one value for all rows": {"inputs": COLUMNS | {"MedInc": 1.0}},
    "inputs of no rows": {"inputs": {name: [] for name in NAMES}},
    "inputs without a column": {"inputs": WITHOUT_INCOME},
    "inputs of unequal length": {"inputs": COLUMNS | {"MedInc": [1.0]}},
    "inputs of lists": {"inputs": [ROW]},
    "inputs of nothing": {"inputs": {}},
    "inputs of a number": {"inputs": 3},
    "inputs of a word": {"inputs": "high"},
    "inputs of nested lists": {"inputs": {name: [[value]] for name, value in EXAMPLE.items()}},
    "inputs with an extra value": {"inputs": EXAMPLE | {"Ocean": 1}},
    "inputs with params": {"inputs": EXAMPLE, "params": {"a": 1}},
    "inputs with another key": {"inputs": EXAMPLE, "id": 1},
    "two formats": {"inputs": EXAMPLE, "instances": [EXAMPLE]},
    "no format": {"data": [ROW]},
    "an empty object": {},
    "bare features": EXAMPLE,
    "a list": [EXAMPLE],
    "a number": 3,
    "a string": "x",
}

JSON = "application/json"
RAW: dict[str, tuple[str, bytes]] = {
    "an empty body": (JSON, b""),
    "JSON cut short": (JSON, b'{"inputs": '),
    "JSON that is not UTF-8": (JSON, b'"\xff"'),
    "JSON null": (JSON, b"null"),
    "JSON nested too deeply": (JSON, b"[" * 100_000),
    "JSON with a field twice": (JSON, json.dumps({"inputs": EXAMPLE})[:-2].encode() + b', "MedInc": 1}}'),
    "NaN": (JSON, json.dumps({"inputs": EXAMPLE | {"MedInc": float("nan")}}).encode()),
    "Infinity": (JSON, json.dumps({"inputs": EXAMPLE | {"MedInc": float("inf")}}).encode()),
    **{
        kind: (kind, json.dumps(split()).encode())
        for kind in (
            "application/json; charset=UTF-8",
            "application/json; charset=latin-1",
            "application/json; version=1",
            "application/xml",
            "text/plain",
            "Application/JSON",
        )
    },
    "parquet": ("application/vnd.apache.parquet", b"PAR1"),
    "csv": ("text/csv", csv().encode()),
    "csv in another order": ("text/csv", csv(NAMES[::-1], ROW[::-1], ROW[::-1]).encode()),
    "csv with pandas' index": ("text/csv", csv(["", *NAMES], [0, *ROW], [1, *ROW]).encode()),
    "csv with quotes and line ends of Windows": (
        "text/csv",
        csv(NAMES, ['"8.3"', *ROW[1:]]).replace("\n", "\r\n").encode(),
    ),
    "csv with empty lines": ("text/csv", f"\n{csv()}\n\n".encode()),
    "csv of column names alone": ("text/csv", csv().splitlines()[0].encode()),
    "csv of nothing": ("text/csv", b""),
    "csv that is not UTF-8": ("text/csv", b"\xff"),
    "csv without a column": ("text/csv", csv(NAMES[1:], ROW[1:]).encode()),
    "csv with a word": ("text/csv", csv(NAMES, ["high", *ROW[1:]]).encode()),
    "csv with a long line": ("text/csv", csv(NAMES, ROW, [*ROW, 1, 2]).encode()),
    "csv with a short line": ("text/csv", csv(NAMES, ROW, ROW[:-1]).encode()),
    "csv with an empty value": ("text/csv", csv(NAMES, ["", *ROW[1:]]).encode()),
    "csv with nan": ("text/csv", csv(NAMES, ["nan", *ROW[1:]]).encode()),
    "csv with a boolean": ("text/csv", csv(NAMES, ["True", *ROW[1:]]).encode()),
    "csv with null": ("text/csv", csv(NAMES, ["null", *ROW[1:]]).encode()),
    "csv with a byte order mark": ("text/csv", csv().encode("utf-8-sig")),
    "csv with a byte order mark and quotes": ("text/csv", csv([f'"{name}"' for name in NAMES]).encode("utf-8-sig")),
    "csv with line ends of old Macs": ("text/csv", csv().replace("\n", "\r").encode()),
    "csv with line ends of every kind": (
        "text/csv",
        "{}\r{}\r\n{}\n{}".format(*csv(NAMES, ROW, ROW, ROW).split()).encode(),
    ),
    "csv with lines of white space": ("text/csv", f"{csv()} \t \n{csv().splitlines()[1]}\n  ".encode()),
    "csv with a line end in a name": ("text/csv", csv([*NAMES, '"a\rb"'], [*ROW, 1]).encode()),
    "csv with a column twice": ("text/csv", csv([*NAMES, "MedInc"], [*ROW, 1.0]).encode()),
    "csv with a text of 200 kB": ("text/csv", csv([*NAMES, "text"], [*ROW, "x" * 200_000]).encode()),
    "csv with spaces around numbers": ("text/csv", csv(NAMES, [f" {value} " for value in ROW]).encode()),
    "csv with a number as Python writes it": ("text/csv", csv(NAMES, ["1_0", *ROW[1:]]).encode()),
    "csv with a digit of another script": ("text/csv", csv(NAMES, ["\N{FULLWIDTH DIGIT EIGHT}", *ROW[1:]]).encode()),
    "csv with a space that is not ASCII": ("text/csv", csv(NAMES, ["\N{NO-BREAK SPACE}8", *ROW[1:]]).encode()),
    "csv with a name that is not ASCII": ("text/csv", csv([*NAMES, "höhe"], [*ROW, "ja"]).encode()),
    "csv with semicolons": ("text/csv", csv().replace(",", ";").encode()),
    "csv with more values than names": ("text/csv", csv(NAMES, [0, *ROW], [1, *ROW]).encode()),
    "JSON with a byte order mark": (JSON, json.dumps(split()).encode("utf-8-sig")),
    "JSON in UTF-16": (JSON, json.dumps(split()).encode("utf-16")),
}

MISSING = "a missing value is refused: the training data had none, so the model's answer would mean nothing"
PANDAS = "an accident of pandas' constructor, which no client relies on"
CRASH = "MLflow crashes with 500"
CODE = "refused by both; MLflow's two codes for it follow from how pandas failed"
DIFFERENCES: dict[str, tuple[int, str]] = {
    # Our status, and why we differ.
    "split with one short row": (400, MISSING),
    "records with null": (400, MISSING),
    "records of which one lacks a column": (400, MISSING),
    "instances with null": (400, MISSING),
    "NaN": (400, MISSING),
    "csv with a short line": (400, MISSING),
    "csv with an empty value": (400, MISSING),
    "csv with nan": (400, MISSING),
    "split with an index of another length": (200, PANDAS),
    "split of rows by name": (400, PANDAS),
    "csv with a boolean": (400, PANDAS),
    "inputs with an extra value": (200, "extra columns are ignored everywhere; MLflow fails on this one format"),
    "JSON nested too deeply": (400, CRASH),
    "instances with a list": (400, CODE),
    "inputs of nested lists": (400, CODE),
    "inputs of a word": (400, CODE),
    "csv with null": (400, MISSING),
    "csv with more values than names": (
        400,
        "MLflow takes the first value for an index, and so answers lines that only end in a comma with wrong numbers",
    ),
    "JSON in UTF-16": (400, "JSON is UTF-8 (RFC 8259)"),
    "parquet": (415, "reading Parquet would take pandas or pyarrow into the image"),
}

REQUESTS: dict[str, tuple[str, bytes]] = {
    **{name: (JSON, json.dumps(body).encode()) for name, body in BODIES.items()},
    **RAW,
}


@pytest.fixture(scope="module")
def mlflow_url(model_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real `mlflow models serve` of the published model."""
    port = free_port()
    scripts = Path(sys.executable).parent
    log = tmp_path_factory.mktemp("mlflow") / "serve.log"
    command = [
        str(scripts / "mlflow"),
        "models",
        "serve",
        "--env-manager=local",
        f"--model-uri={model_directory}",
        f"--port={port}",
    ]
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            env={**os.environ, "PATH": f"{scripts}:{os.environ['PATH']}"},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{url}/ping").status_code == 200:
                    break
            time.sleep(0.1)
        else:
            pytest.fail(log.read_text())
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    # MLflow's server ends the connection after it has crashed: none is used twice.
    with httpx.Client(timeout=60, limits=httpx.Limits(max_keepalive_connections=0)) as shared:
        yield shared


def ask(client: httpx.Client, url: str, name: str) -> httpx.Response:
    content_type, body = REQUESTS[name]
    return client.post(f"{url}/invocations", content=body, headers={"content-type": content_type})


def essence(response: httpx.Response) -> tuple[int, str, Any]:
    """What clients rely on: the status, the content type, and the predictions or MLflow's code of the error."""
    kind = response.headers["content-type"]
    if kind != JSON:
        return response.status_code, kind, None
    body = response.json()
    return response.status_code, kind, body["predictions"] if response.status_code == 200 else body["error_code"]


@pytest.mark.parametrize("name", REQUESTS)
def test_answers_what_mlflow_answers(service: Service, mlflow_url: str, client: httpx.Client, name: str) -> None:
    """Good and bad requests get MLflow's status, predictions to the last bit, and error code, but for listed ones."""
    theirs, ours = ask(client, mlflow_url, name), ask(client, service.url, name)
    if name in DIFFERENCES:
        assert ours.status_code == DIFFERENCES[name][0]
        assert essence(ours) != essence(theirs), "the difference has gone: take it off the list"
    else:
        assert essence(ours) == essence(theirs)
    if ours.status_code == 400:
        assert ours.json()["message"]


def test_thousands_of_rows_are_answered_as_by_mlflow(service: Service, mlflow_url: str, client: httpx.Client) -> None:
    """Ten thousand rows are predicted as by MLflow, one more is refused."""
    draw = np.random.default_rng(5)
    rows = np.stack([draw.uniform(*BOUNDS[name], 10_001) for name in FEATURES], axis=1).tolist()
    theirs, ours = (
        client.post(f"{url}/invocations", json=split(data=rows[:10_000])).json() for url in (mlflow_url, service.url)
    )
    assert len(ours["predictions"]) == 10_000
    assert ours == theirs
    refused = client.post(f"{service.url}/invocations", json=split(data=rows))
    assert refused.status_code == 400
    assert "10000" in refused.json()["message"]


# In a process of its own, since importing MLflow's models warns, and warnings are errors here.
CLIENT = """
import json, sys
import pandas as pd
from mlflow.pyfunc.scoring_server.client import ScoringServerClient
host, port, rows = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
client, frame = ScoringServerClient(host, port), pd.DataFrame(rows)
client.wait_server_ready(timeout=10)
predictions = client.invoke(frame).get_predictions()[0].tolist()
try:
    refused = client.invoke(frame.drop(columns="MedInc"))
except Exception as error:
    refused = str(error)
print(json.dumps([client.get_version(), predictions, refused]))
"""


def test_mlflows_own_client_works(service: Service, mlflow_url: str) -> None:
    """MLflow's scoring client waits, asks the version and sends a DataFrame to us as it does to MLflow's server."""

    def run(url: str) -> Any:
        address = httpx.URL(url)
        rows = json.dumps([EXAMPLE, EXAMPLE | {"MedInc": 2.0}])
        done = subprocess.run(
            [sys.executable, "-c", CLIENT, address.host, str(address.port), rows],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    (*theirs, their_refusal), (*ours, our_refusal) = run(mlflow_url), run(service.url)
    assert ours == theirs
    for refusal in (their_refusal, our_refusal):
        assert "error code 400" in refusal
        assert "Model is missing inputs ['MedInc']" in refusal


@pytest.mark.parametrize("path", ["/ping", "/version"])
def test_probes_answer_as_mlflows(service: Service, mlflow_url: str, client: httpx.Client, path: str) -> None:
    """/ping and /version give MLflow's status, content type and body; the model was written by the MLflow at hand."""
    theirs, ours = client.get(mlflow_url + path), client.get(service.url + path)
    assert (ours.status_code, ours.headers["content-type"], ours.content) == (
        theirs.status_code,
        theirs.headers["content-type"],
        theirs.content,
    )


def test_caps_the_body(service: Service, client: httpx.Client) -> None:
    """More than 8 MiB is refused with a problem document, as on every path."""
    response = client.post(f"{service.url}/invocations", content=b" " * (8 * 2**20 + 1), headers={"content-type": JSON})
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
