"""Asks a running service for a value that is known: a held-out row of the table that it serves."""

import json
import logging
import time
from contextlib import closing
from http.client import OK, HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

import msgspec
import pandas as pd

from training.errors import TrainingError
from training.processes import runs
from training.rows.data import rows_of
from training.rows.parts import Parts
from training.rows.splitting import split
from training.tables.description import Table

PATIENCE = 60.0
SHOWN = 200
"""Characters of an answer that are shown."""

Answer = TypeVar("Answer")

log = logging.getLogger(__name__)


class Sample(NamedTuple):
    """One held-out row: what was sent, what the service answered, and the truth."""

    features: dict[str, Any]
    predicted: str
    true: str
    model_version: str


class _Ready(msgspec.Struct):
    """What the service answers to `GET /ready`."""

    model_name: str
    model_version: str
    reason: str = ""
    """Why it is not ready."""


def ask(url: str, table: Table, data: str | None = None, process: int | None = None) -> Sample:
    """Send the first held-out row to `POST /predict`, waiting up to a minute for the service.

    Args:
        url: the service's address, such as `http://127.0.0.1:8000`.
        table: what the service serves.
        data: its rows, see `training.rows.data.rows_of`.
        process: id of the process that is the service; once it has ended, nobody waits.

    Raises:
        TrainingError: this is no address, or the service does not answer, refuses, or is not this service.
    """
    if not _is_address(url):
        raise TrainingError(f"{url} is no address: give one such as http://127.0.0.1:8000.")
    row = _held_out(table, data)
    features = {name: _sent(row[name], says.kind) for name, says in table.features.items()}
    ready = _await(url, table.name, process)
    status, body = _request(url, "POST", "/predict", json.dumps(features))
    if status != OK:
        raise TrainingError(f"{url} refused the sample with {status}: {body.decode(errors='replace')[:SHOWN]}")
    answer = _decoded(body, dict[str, Any], url)
    number = table.target.kind == "number"
    predicted = f"{answer[table.target.answer]:.3f}" if number else str(answer["label"])
    return Sample(features, predicted, _truth(row[table.target.column], table), ready.model_version)


def _held_out(table: Table, data: str | None) -> pd.Series:
    rows = rows_of(table, data)
    if isinstance(rows, Parts):
        from training.in_parts.places import Here  # XGBoost, which takes seconds to import
        from training.in_parts.preparing import first_held_out

        return first_held_out(rows.parts, table, Here())
    row: pd.Series = split(rows.table, table).test.iloc[0]
    return row


def _sent(value: Any, kind: str) -> Any:
    """A checked value as a request has it."""
    if pd.isna(value):
        return None
    if kind == "category":
        return str(value)
    return bool(value) if kind == "boolean" else float(value)


def _truth(value: Any, table: Table) -> str:
    if table.target.kind == "number":
        return f"{value:.3f}"
    return str(value) if table.target.kind == "category" else table.schema().target.classes[int(value)]


def _await(url: str, name: str, process: int | None) -> _Ready:
    """Ask `GET /ready` until it says yes, and see that it is this service that does."""
    deadline = time.monotonic() + PATIENCE
    waiting = False
    while True:
        if process and not runs(process):
            raise TrainingError(f"The service that was to answer at {url} has ended; what it wrote last says why.")
        try:
            status, body = _request(url, "GET", "/ready")
        except OSError as error:
            reason = str(error)
        else:
            ready = _decoded(body, _Ready, url)
            if ready.model_name != name:
                raise TrainingError(f"{url} serves {ready.model_name}, not {name}: name another with --url.")
            if status == OK:
                return ready
            reason = ready.reason
        if time.monotonic() > deadline:
            raise TrainingError(f"{url} is not ready ({reason}). Is the service running? `make serve` starts it.")
        if not waiting:
            log.info("Waiting up to %g s for the service at %s", PATIENCE, url)
            waiting = True
        time.sleep(0.2)


def _request(url: str, method: str, path: str, body: str | None = None) -> tuple[int, bytes]:
    """One request; OSError where nothing answers."""
    address = urlsplit(url)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    with closing(kind(address.hostname or "", address.port, timeout=10)) as connection:
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except OSError:  # one of http.client's own errors is an OSError too: the connection was closed
            raise
        except HTTPException as error:
            raise TrainingError(f"What answers at {url} does not speak HTTP: name the service with --url.") from error


def _decoded(body: bytes, kind: type[Answer], url: str) -> Answer:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise TrainingError(
            f"Another server answers at {url}, with {body.decode(errors='replace')[:SHOWN]!r}: "
            "stop it, or name this service with --url."
        ) from error


def _is_address(url: str) -> bool:
    try:
        address = urlsplit(url)
        return address.scheme in ("http", "https") and bool(address.hostname) and address.port != 0
    except ValueError:
        return False
