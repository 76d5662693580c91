"""A run that is repeated, interrupted, doubled or has no room: what is done is whole, and stays."""

import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.api.scoring.scored import command, contents, read, score
from tests.api.tables import Table, frame_of, publish_table
from tests.running import ROOT

PARTS = 4


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Table:
    """A published model."""
    return publish_table("churn", tmp_path_factory.mktemp("model") / "1")


@pytest.fixture(scope="module")
def made(table: Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with its table in four parts, one of which has a row that is refused, and the scores of a whole run."""
    home = tmp_path_factory.mktemp("made")
    (home / "data" / "year=2026").mkdir(parents=True)
    for part in range(PARTS):
        rows = frame_of(table.schema, rows=70_000 if part == 0 else 50, seed=part)
        if part == 1:
            rows.loc[20, "size"] = 1000
        rows.assign(part=part).to_parquet(home / "data" / "year=2026" / f"{part}.parquet")
    done = score(table.folder, "--data", home / "data", "--out", home / "scores", "--processes", 2)
    assert done.returncode == 4, done.stdout + done.stderr
    return home


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A copy of the table."""
    return Path(shutil.copytree(made / "data", tmp_path / "data"))


@pytest.fixture
def scores(made: Path, tmp_path: Path) -> Path:
    """A copy of the scores."""
    return Path(shutil.copytree(made / "scores", tmp_path / "scores"))


def test_a_second_run(table: Table, data: Path, scores: Path) -> None:
    """Leaves every file as it is, and counts what was refused before; scored elsewhere, the bytes are the same."""
    before = {file: file.stat().st_mtime_ns for file in scores.rglob("*")}
    again = score(table.folder, "--data", data, "--out", scores, "--processes", 1)
    assert again.returncode == 4
    assert "70,149 rows of 4 parts" in again.stdout
    assert "1 were refused" in again.stdout
    assert {file: file.stat().st_mtime_ns for file in scores.rglob("*")} == before
    other = scores.with_name("other")
    assert score(table.folder, "--data", data, "--out", other, "--processes", 1).returncode == 4
    assert contents(other) == contents(scores)


def test_corrected_rows(table: Table, data: Path, scores: Path) -> None:
    """Only the part that was changed is scored again, and what was refused of it is gone."""
    before = {file.name: file.stat().st_mtime_ns for file in scores.rglob("*.parquet")}
    part = data / "year=2026" / "1.parquet"
    rows = pd.read_parquet(part)
    rows.loc[20, "size"] = 10
    rows.to_parquet(part)
    assert score(table.folder, "--data", data, "--out", scores, "--processes", 1).returncode == 0
    after = {file.name: file.stat().st_mtime_ns for file in scores.rglob("*.parquet")}
    assert [name for name in after if after[name] != before[name]] == ["1.parquet"]
    assert not read(scores, "year=2026/1.parquet").refusals
    assert len(read(scores, "year=2026/1.parquet").answers) == 50


@pytest.mark.parametrize("lost", ["year=2026/2.parquet", "_refused/year=2026/1.parquet.jsonl", "_scoring.json"])
def test_half_its_state_gone(table: Table, data: Path, scores: Path, lost: str) -> None:
    """What is lost is made again, the same to the byte; without the name of their model scores are not touched."""
    whole = contents(scores)
    (scores / lost).unlink()
    done = score(table.folder, "--data", data, "--out", scores, "--processes", 1)
    if lost == "_scoring.json":
        assert done.returncode == 1
        assert "no _scoring.json says of which model" in done.stdout
    else:
        assert contents(scores) == whole


def test_a_file_cut_short(table: Table, data: Path, scores: Path) -> None:
    """A part whose scores are not whole, or not scores, is scored again."""
    whole = contents(scores)
    for part, content in (("2", whole["year=2026/2.parquet"][:-100]), ("3", b"PAR1 of another kind PAR1")):
        (scores / "year=2026" / f"{part}.parquet").write_bytes(content)
    score(table.folder, "--data", data, "--out", scores, "--processes", 1)
    assert contents(scores) == whole


def test_another_model(table: Table, data: Path, scores: Path, tmp_path: Path) -> None:
    """Scores of two models, or of two choices of columns, are never mixed: the second is refused."""
    whole = contents(scores)
    other = publish_table("claims", tmp_path / "other" / "1")
    done = score(other.folder, "--data", data, "--out", scores)
    assert done.returncode == 1
    assert "has the scores of another model" in done.stdout
    done = score(table.folder, "--data", data, "--out", scores, "--keep", "part")
    assert done.returncode == 1
    assert "keeping part" in done.stdout
    assert contents(scores) == whole


def test_other_data(table: Table, data: Path, scores: Path) -> None:
    """Parts that the data no longer has are named; more parts are scored beside the others."""
    first = data / "year=2026" / "0.parquet"
    first.rename(data / "year=2026" / "4.parquet")
    done = score(table.folder, "--data", data, "--out", scores)
    assert done.returncode == 1
    assert "0.parquet is no score of a part" in done.stdout
    (scores / "year=2026" / "0.parquet").unlink()
    assert score(table.folder, "--data", data, "--out", scores, "--processes", 1).returncode == 4
    assert len(read(scores, "year=2026/4.parquet").answers) == 70_000


def test_scores_among_the_data(table: Table, data: Path) -> None:
    """A place where scores would be taken for data, or replace it, is refused."""
    whole = contents(data)
    for out in (data, data / "scores", data / "year=2026"):
        done = score(table.folder, "--data", data, "--out", out)
        assert done.returncode == 1
        assert "is where the data is" in done.stdout
    assert contents(data) == whole


def test_somebody_elses_files(table: Table, data: Path, tmp_path: Path) -> None:
    """A folder with other files in it is left as it is."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("all of it")
    done = score(table.folder, "--data", data, "--out", tmp_path / "theirs")
    assert done.returncode == 1
    assert "theirs has files, and no _scoring.json" in done.stdout
    assert contents(tmp_path / "theirs") == {"thesis.txt": b"all of it"}


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_killed_and_resumed(table: Table, data: Path, scores: Path, how: signal.Signals) -> None:
    """Whatever ends a run, every file in its place is whole, and the next run ends where one run would have."""
    out = scores.with_name("killed")
    process = subprocess.Popen(
        command(table.folder, "--data", data, "--out", out, "--processes", 2),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while not list(out.glob("_unfinished-*")) and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(how)
    said, _ = process.communicate(timeout=60)
    if how is not signal.SIGKILL and process.returncode != 4:
        assert process.returncode == 130
        assert "the same command goes on" in said
        assert not list(out.glob("_unfinished-*"))
    whole = contents(scores)
    there = {name: content for name, content in contents(out).items() if not name.startswith("_unfinished-")}
    assert there.items() <= whole.items()
    children_end(out)
    assert score(table.folder, "--data", data, "--out", out, "--processes", 1).returncode == 4
    assert contents(out) == whole


def children_end(out: Path) -> None:
    """Wait until no process holds the folder's unfinished files any more: they end with the one that was killed."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        running = [process / "fd" for process in Path("/proc").iterdir() if process.name.isdecimal()]
        if not any(str(out) in target for target in open_files(running)):
            return
        time.sleep(0.05)
    raise TimeoutError(f"processes still write to {out}")


def open_files(folders: list[Path]) -> Iterator[str]:
    """What the processes with these folders of descriptors have open."""
    for folder in folders:
        try:
            yield from [str(link.readlink()) for link in folder.iterdir()]
        except OSError:
            continue


def test_two_at_once(table: Table, data: Path, scores: Path) -> None:
    """Two runs into one place end as one does."""
    out = scores.with_name("twice")
    both = [
        subprocess.Popen(command(table.folder, "--data", data, "--out", out, "--processes", 1), cwd=ROOT, stdout=-3)
        for _ in range(2)
    ]
    assert [process.wait(120) for process in both] == [4, 4]
    assert contents(out) == contents(scores)


def test_no_room(table: Table, data: Path, scores: Path) -> None:
    """A disk that is full ends the run with the system's words, and leaves nothing half-written."""
    out = scores.with_name("small")
    limited = f"import resource, runpy, sys; resource.setrlimit(resource.RLIMIT_FSIZE, ({2**17}, {2**17})); "
    arguments = [str(each) for each in ("", table.folder, "--data", data, "--out", out, "--processes", 1)]
    code = f"{limited} sys.argv = {arguments!r}; runpy.run_module('api.scoring', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "File too large" in done.stdout
    assert sorted(contents(out)) == ["_scoring.json"]
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_broken_part(table: Table, data: Path, tmp_path: Path) -> None:
    """Is named; the parts before it are scored."""
    part = data / "year=2026" / "2.parquet"
    part.write_bytes(part.read_bytes()[:1000])
    done = score(table.folder, "--data", data, "--out", tmp_path / "out", "--processes", 1)
    assert done.returncode == 1
    assert "year=2026/2.parquet cannot be read" in done.stdout
    assert sorted(file.name for file in (tmp_path / "out").rglob("*.parquet")) == ["0.parquet", "1.parquet"]
