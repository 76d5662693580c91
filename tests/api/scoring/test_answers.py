"""Scores beside the answers of `/predict` to the same rows: the same numbers, and the same refusals."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.api.scoring.scored import Scores, read, score
from tests.api.tables import ServedTable, frame_of

DAMAGE: dict[str, list[Any]] = {
    "size": [100.0, 100.00000000000001, -100.5, np.nan, np.inf, 1e300],
    "rooms": [60.0, 61.0, 2.5, -1.0, np.nan, -0.0],
    "anything": [3.4028234663852886e38, 3.5e38, -np.inf, np.nan, 1e-320, 5e-324],
    "age": [np.nan, np.inf, 0.1, -7.0, 1e38, 2.5e-310],
    "floors": [2.0, 2.5, np.nan, 2.0**53, 1e300, -3.0],
    "new": [True, False, None, True, False, None],
    "place": ["place 3", "nowhere", "", None, "place 24", "PLACE 3"],
    "view": ["none", "sea ", None, "of the sea", "a: b", ""],
}


def damaged(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows, every second of them with odd values in some columns."""
    draw = np.random.default_rng(3)
    table = frame.copy()
    for name, values in DAMAGE.items():
        column = table[name].astype(object).where(table[name].notna(), None)
        chosen = draw.choice(len(table), len(table) // 6, replace=False)
        column.iloc[chosen] = [values[i % len(values)] for i in range(len(chosen))]
        numeric = name not in ("new", "place", "view")
        table[name] = column.astype("float64" if numeric else "boolean" if name == "new" else object)
    return table


def sent(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row as a client sends it, text without the blanks around it; what is not finite has no JSON."""
    values = {name: None if pd.isna(value) else value for name, value in row.items()}
    return {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}


def compare(scores: Scores, served: ServedTable, rows: list[dict[str, Any]]) -> None:
    """Each row was answered, or refused, as the service does."""
    statuses = set()
    with served.service.client() as client:
        for number, row in enumerate(rows, 1):
            if any(value in (np.inf, -np.inf) for value in row.values()):
                assert number in scores.refusals
                continue
            answer = client.post("/predict", json=row)
            statuses.add(answer.status_code)
            if answer.status_code == 200:
                expected = answer.json()
                expected.pop("unit", None)
                assert {name: scores.answers[number][name] for name in expected} == expected
            else:
                refused = scores.refusals[number]
                found = [{("field" if name == "column" else name): each[name] for name in each} for each in refused]
                assert found == answer.json()["errors"]
    assert statuses == {200, 422}
    assert sorted([*scores.answers, *scores.refusals]) == list(range(1, len(rows) + 1))


@pytest.mark.parametrize("name", ["claims", "churn", "species"])
def test_parquet(name: str, served_table: Callable[[str], ServedTable], tmp_path: Path) -> None:
    """Every row of a Parquet file is answered to the bit, or refused for the same reasons."""
    served = served_table(name)
    table = damaged(frame_of(served.table.schema, rows=300, seed=5))
    table["key"] = [f"k{i}" for i in range(len(table))]
    table.to_parquet(tmp_path / "rows.parquet")
    done = score(served.table.folder, "--data", tmp_path / "rows.parquet", "--out", tmp_path / "out")
    assert done.returncode == 4, done.stdout + done.stderr
    scores = read(tmp_path / "out", "rows.parquet")
    assert {row["key"] for row in scores.answers.values()} == {f"k{number - 1}" for number in scores.answers}
    rows = [sent(row) for row in table.drop(columns="key").astype(object).to_dict("records")]
    compare(scores, served, rows)


def test_csv(served_table: Callable[[str], ServedTable], tmp_path: Path) -> None:
    """A CSV as people have it, with decimal commas and their own words for yes, is read as training reads it."""
    served = served_table("claims")
    table = frame_of(served.table.schema, rows=200, seed=6)
    table.loc[3, "size"], table.loc[7, "rooms"] = 1000.5, 77
    table["place"] = table["place"].astype(object)
    table.loc[9, "place"] = "nowhere"
    rows = [sent(row) for row in table.astype(object).to_dict("records")]
    table["new"] = table["new"].map({True: "Yes", False: "0"})
    table["heated"] = table["heated"].map({True: "T", False: "no"})
    table.insert(0, "id", [f"{i:05}" for i in range(len(table))])
    table.to_csv(tmp_path / "rows.csv", index=False, sep=";", decimal=",", float_format="%.17g", na_rep="NA")
    done = score(served.table.folder, "--data", tmp_path / "rows.csv", "--out", tmp_path / "out")
    assert done.returncode == 4, done.stdout + done.stderr
    scores = read(tmp_path / "out", "rows.csv")
    assert scores.answers[1]["id"] == "00000"
    compare(scores, served, rows)


def test_narrow_types(served_table: Callable[[str], ServedTable], tmp_path: Path) -> None:
    """Whatever type holds a number in a file, the model is asked about that number."""
    served = served_table("claims")
    table = frame_of(served.table.schema, rows=50, seed=7).astype(
        {"size": "float32", "rooms": "int8", "floors": "Int16", "new": "int64", "place": "string"}
    )
    table["anything"] = table["anything"].map(repr)
    table.loc[0, "anything"], table.loc[1, "size"] = "many", 101
    table.to_parquet(tmp_path / "rows.parquet")
    done = score(served.table.folder, "--data", tmp_path / "rows.parquet", "--out", tmp_path / "out")
    assert done.returncode == 4, done.stdout + done.stderr
    rows = [sent(row) for row in table.astype(object).to_dict("records")]
    for row in rows[1:]:
        row["anything"] = float(row["anything"])
    for row in rows:
        row["new"] = bool(row["new"])
    compare(read(tmp_path / "out", "rows.parquet"), served, rows)


def test_names_as_people_have_them(served_table: Callable[[str], ServedTable], tmp_path: Path) -> None:
    """A column with any name is found, and one is kept beside the answers."""
    served = served_table("odd")
    frame_of(served.table.schema, rows=20).assign(ключ=range(20)).to_parquet(tmp_path / "rows.parquet")
    done = score(served.table.folder, "--data", tmp_path / "rows.parquet", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    answers = read(tmp_path / "out", "rows.parquet").answers
    rows = frame_of(served.table.schema, rows=20).to_dict("records")
    with served.service.client() as client:
        items = client.post("/predict/batch", json={"rows": rows}).json()["predictions"]
    for number, item in enumerate(items, 1):
        assert answers[number] == {"ключ": number - 1, **item, "model_version": "1"}


def test_a_column_that_may_be_missing(served_table: Callable[[str], ServedTable], tmp_path: Path) -> None:
    """May be missing as a whole; one that may not ends the run before anything is written, with its name."""
    served = served_table("churn")
    table = frame_of(served.table.schema, rows=10)
    table.drop(columns=["age", "view"]).to_parquet(tmp_path / "rows.parquet")
    done = score(served.table.folder, "--data", tmp_path / "rows.parquet", "--out", tmp_path / "out")
    assert done.returncode == 0, done.stdout + done.stderr
    bodies = table.drop(columns=["age", "view"]).astype(object).to_dict("records")
    with served.service.client() as client:
        items = client.post("/predict/batch", json={"rows": list(map(sent, bodies))}).json()["predictions"]
    answers = read(tmp_path / "out", "rows.parquet").answers
    assert [answers[number]["probabilities"] for number in answers] == [item["probabilities"] for item in items]

    table.drop(columns="rooms").to_parquet(tmp_path / "other.parquet")
    done = score(served.table.folder, "--data", tmp_path / "other.parquet", "--out", tmp_path / "none")
    assert done.returncode == 1
    assert "other.parquet has no column 'rooms', which the model needs" in done.stdout
    assert [file.name for file in (tmp_path / "none").iterdir()] == ["_scoring.json"]
