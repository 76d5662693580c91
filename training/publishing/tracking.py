"""The tracking server, and the run: one training as MLflow knows it, from its start to whatever end it has."""

import logging
import os
import re
import socket
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import unquote

import mlflow
import sqlalchemy
from alembic.util.exc import CommandError
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.db.db_types import DATABASE_ENGINES
from requests import RequestException
from sqlalchemy.exc import SQLAlchemyError

from training.errors import RegistryError
from training.processes import runs
from training.publishing import database

PROCESS = "process"
"""The tag that says which process a run is of, as PID@HOST."""

DAY = 24 * 60 * 60
LONGEST_MESSAGE = 500

log = logging.getLogger(__name__)


def address() -> str:
    """The tracking server's address, with whatever is secret in it."""
    return os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"


@contextmanager
def connected() -> Iterator[str]:
    """Use the tracking server at `address`; yields the address without what is secret in it.

    Raises:
        RegistryError: it cannot be reached, or refuses.
    """
    uri = address()
    for noisy in ("mlflow", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # What this one logs, with its whole traceback, reaches us as an exception besides.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    try:
        _open(uri)
        yield _without_password(uri, uri)
    except (MlflowException, SQLAlchemyError, sqlite3.Error, CommandError, RequestException) as error:
        raise _failure(uri, " ".join(str(_root(error)).split())) from error


def _open(uri: str) -> None:
    if re.search(r"[/?#@]", _user_and_password(uri)):
        # Taken apart at the wrong place, it would have libraries name what is left of a password as a host.
        raise _failure(uri, "write / ? # and @ before the host as %2F %3F %23 and %40")
    mlflow.set_tracking_uri(uri)
    if uri.partition(":")[0].partition("+")[0] in DATABASE_ENGINES:
        _try(uri)
    if file := database.file_of(uri):
        database.create(file)
    MlflowClient().search_experiments(max_results=1)
    if file:
        database.follow(file)


def _try(uri: str) -> None:
    """Fail at once where MLflow would go on trying for minutes: at a database that cannot be opened."""
    try:
        engine = sqlalchemy.create_engine(uri)
    except ImportError as error:
        raise _failure(uri, f"{error}: install the driver of that database") from error
    try:
        sqlalchemy.inspect(engine).get_table_names()
    finally:
        engine.dispose()


def _root(error: BaseException) -> BaseException:
    """The innermost cause: the outer ones repeat it with statements and addresses around it."""
    return _root(error.__cause__) if error.__cause__ else error


def _failure(uri: str, text: str) -> RegistryError:
    return RegistryError(_without_password(uri, f"MLflow at {uri}: {text}")[:LONGEST_MESSAGE])


def _user_and_password(uri: str) -> str:
    found = re.search(r"://([^/]\S*)@", uri)
    return found[1] if found else ""


def _without_password(uri: str, text: str) -> str:
    """Hide what is secret in an address wherever a text repeats it."""
    user, _, password = _user_and_password(uri).partition(":")
    for secret in {password or user, unquote(password or user)} - {""}:
        text = text.replace(secret, "***")
    return re.sub(r"([?&]\w*(?:password|token|secret|key)\w*=)[^&\s]+", r"\1***", text, flags=re.IGNORECASE)


@contextmanager
def run(experiment_name: str, name: str) -> Iterator[str]:
    """An MLflow run, yielded by its id, that tells a broken-off training from a failed one."""
    experiment = use_experiment(experiment_name)
    _close_abandoned(experiment)
    run_id = mlflow.start_run(run_name=name, tags={PROCESS: f"{os.getpid()}@{socket.gethostname()}"}).info.run_id
    status = "FAILED"
    try:
        yield run_id
        status = "FINISHED"
    except (KeyboardInterrupt, SystemExit):
        status = "KILLED"
        raise
    finally:
        mlflow.end_run(status)


def use_experiment(name: str) -> str:
    """Make the experiment the one that runs go to, creating it at first; returns its id."""
    client = MlflowClient()
    if client.get_experiment_by_name(name) is None:
        file = database.file_of(mlflow.get_tracking_uri())
        place = str(file.parent / database.ARTIFACTS / name) if file else None
        try:
            client.create_experiment(name, artifact_location=place)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # by another training, just now
                raise
    return str(mlflow.set_experiment(name).experiment_id)


def _close_abandoned(experiment: str) -> None:
    """End the runs of trainings that could not do so themselves: those that were killed, or whose disk was full."""
    client = MlflowClient()
    for left in client.search_runs([experiment], "attributes.status = 'RUNNING'"):
        if _is_gone(left.data.tags.get(PROCESS, ""), left.info.start_time / 1000):
            client.set_terminated(left.info.run_id, "KILLED")
            log.info("Run %s is marked as KILLED: it has no process any more", left.info.run_name)


def _is_gone(process: str, start: float) -> bool:
    """Whether a process has ended; one that cannot be seen, as it is on another machine, is given a day."""
    pid, _, host = process.partition("@")
    old = time.time() - start > DAY
    if host != socket.gethostname():
        return old
    if not runs(int(pid)):
        return True
    return old and int(pid) == os.getpid()  # the number that a container's process has had before


def insist(write: Callable[[], object]) -> None:
    """Write what another training may write at the same time.

    MLflow looks whether it is there, then writes it: of two that look at once, the database refuses one, which finds it
    there the second time.
    """
    try:
        write()
    except MlflowException:
        write()


def git_revision() -> str:
    """The commit that is checked out, `-dirty` when files differ from it, `unknown` outside git or without it."""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return "unknown"
    return described.stdout.strip() or "unknown"
