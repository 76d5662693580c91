"""The SQLite file of MLflow's: it appears whole, and knows the files beside it wherever both are moved to."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from mlflow import MlflowClient
from sqlalchemy import make_url

ARTIFACTS = "mlruns"
"""The directory beside the file that holds what its runs and models consist of."""

PATHS = {
    "experiments": ["artifact_location"],
    "runs": ["artifact_uri"],
    "logged_models": ["artifact_location"],
    "model_versions": ["source", "storage_location"],
}
"""Tables and columns in which MLflow writes down where files lie, as absolute paths."""

BUSY_SECONDS = 60
"""How long to wait for another process that writes."""

log = logging.getLogger(__name__)


def file_of(uri: str) -> Path | None:
    """The absolute path of the SQLite file that a tracking address names; None where it names something else."""
    if not uri.startswith("sqlite"):
        return None
    path = make_url(uri).database
    return Path(path).absolute() if path and path != ":memory:" else None


def create(file: Path) -> None:
    """Give a new file MLflow's tables, all in one transaction; leave one that has any as it is.

    MLflow's own way runs half a hundred migrations on the file itself: two at once break each other, and one that is
    killed leaves a database that nothing opens any more.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size:
        return
    with TemporaryDirectory() as folder:
        made = Path(folder, file.name)
        MlflowClient(f"sqlite:///{made}").search_experiments()
        with closing(sqlite3.connect(made)) as source:
            statements = [line for line in source.iterdump() if line not in ("BEGIN TRANSACTION;", "COMMIT;")]
    with closing(sqlite3.connect(file, BUSY_SECONDS, isolation_level=None)) as database:
        database.execute("BEGIN EXCLUSIVE")
        if not database.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            for statement in statements:
                database.execute(statement)
        database.execute("COMMIT")


def follow(file: Path) -> None:
    """Correct the paths in a database that was copied or moved together with the directory beside it."""
    here = file.parent / ARTIFACTS
    with closing(sqlite3.connect(file, BUSY_SECONDS)) as database, database:
        there = _recorded(database)
        if there is None or there.parent == here or not _is_moved(database, here / there.name):
            return
        log.info("The registry was moved: its files are in %s, no longer in %s", here, there.parent)
        for table, columns in PATHS.items():
            for column in columns:
                database.execute(
                    f"UPDATE {table} SET {column} = :here || substr({column}, length(:there) + 1) "  # noqa: S608
                    f"WHERE substr({column}, 1, length(:there) + 1) = :there || '/'",
                    {"here": str(here), "there": str(there.parent)},
                )


def _recorded(database: sqlite3.Connection) -> Path | None:
    """The directory of this machine that the first experiment's files are said to be in; MLflow's own default aside."""
    found = database.execute(
        "SELECT artifact_location FROM experiments WHERE experiment_id != 0 ORDER BY experiment_id"
    ).fetchone()
    return Path(found[0]) if found and found[0].startswith("/") else None


def _is_moved(database: sqlite3.Connection, experiment: Path) -> bool:
    """Whether the models of the database are there: it alone may have been copied, its files left where they were."""
    models = [model for (model,) in database.execute("SELECT model_id FROM logged_models")]
    return not models or any((experiment / "models" / model).exists() for model in models)
