"""Training on a table in parts, of which no more than a batch is ever in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from msgspec import structs
from xgboost import DMatrix

from tests.california import TABLE
from tests.training.conftest import SMALL, enter
from training import pipeline
from training.errors import DataError
from training.fitting import card
from training.fitting.estimators import features, truth, xgboost_model
from training.in_parts import preparing
from training.in_parts.finalists import FINALISTS
from training.in_parts.learning import Work, as_estimator
from training.in_parts.places import Here
from training.in_parts.preparing import Ready, first_held_out
from training.in_parts.samples import Sample
from training.in_parts.sides import Side, cut, row_hashes, values_of
from training.in_parts.survey import learned_of, rows_of
from training.pipeline import Trained
from training.publishing import registry, tracking
from training.rows.data import Dataset
from training.rows.data import rows_of as rows_of_data
from training.rows.parts import Parts, find
from training.tables.description import CleaningRule, FeatureSays, SplitSays, Table, TargetSays

CANDIDATE = {"n_estimators": 8, "max_depth": 5, "learning_rate": 0.3, "subsample": 0.8, "colsample_bytree": 0.5}
KINDS = ("red", "green", "blue")
CLASSES = ("low", "middle", "high")


def cut_up(table: pd.DataFrame, folder: Path, places: list[int], kind: str = "parquet") -> Parts:
    """Write a table as files that begin at these rows."""
    folder.mkdir(exist_ok=True)
    for number, rows in enumerate(np.split(np.arange(len(table)), places)):
        file = folder / f"part-{number}.{kind}"
        some = table.iloc[rows]
        some.to_parquet(file) if kind == "parquet" else some.to_csv(file, index=False)
    return Parts(find(str(folder)), str(folder))


@pytest.fixture(scope="module")
def california(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Parts:
    """California Housing in five files of different lengths."""
    return cut_up(table, tmp_path_factory.mktemp("parts"), [4_000, 9_000, 9_500, 16_000])


@pytest.fixture(scope="module")
def ready(california: Parts) -> Ready:
    """It, surveyed."""
    return preparing.prepare(california, TABLE, Here())


@pytest.fixture(scope="module")
def outcome(california: Parts, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trained]:
    """A whole training in parts, in the working directory of the tests that look at it."""
    rows = rows_of_data(TABLE, california.source)
    with pytest.MonkeyPatch.context() as patch:
        enter(tmp_path_factory.mktemp("home"), patch)
        with tracking.connected():
            yield pipeline.train(SMALL, rows, candidates=4, folds=2)


@pytest.fixture(scope="module")
def mixed() -> pd.DataFrame:
    """Rows of all kinds, many of them repeated, with a group and a time that are no features."""
    random = np.random.default_rng(0)
    rows = 3_000
    table = pd.DataFrame(
        {
            "number": random.normal(size=rows),
            "whole": np.where(random.random(rows) < 0.1, np.nan, random.integers(0, 9, rows)),
            "yes": random.random(rows) < 0.4,
            "kind": np.array(KINDS, object)[random.integers(0, 3, rows)],
            "group": random.integers(0, 40, rows),
            "day": pd.Timestamp("2026-01-01") + pd.to_timedelta(random.integers(0, 300, rows), "D"),
        }
    )
    table["class"] = np.array(CLASSES)[np.digitize(table["number"] + table["yes"], (-0.3, 0.9))]
    return pd.concat([table, table.head(1_000)]).sample(frac=1, random_state=1, ignore_index=True)


def described(split: SplitSays | None = None, **changes: Any) -> Table:
    """What that table's description says."""
    table = Table(
        name="mixed",
        target=TargetSays(column="class", kind="category", classes=CLASSES),
        features={
            "number": FeatureSays(),
            "whole": FeatureSays(kind="integer", missing=True),
            "yes": FeatureSays(kind="boolean"),
            "kind": FeatureSays(kind="category", categories=KINDS),
        },
        split=split or SplitSays(),
    )
    return structs.replace(table, **changes)


def sides_of(parts: Parts, description: Table) -> pd.Series:
    """The side of each row, by its hash."""
    sides = cut(description.split, [values_of(part, description) for part in parts.parts])
    found = [pd.Series(where, hashes) for part in parts.parts for _, hashes, where in rows_of(part, description, sides)]
    whole: pd.Series = pd.concat(found)
    return whole


def test_figures(outcome: Trained) -> None:
    """Every figure of a training in memory is there, about as good, and the model beats the plain one."""
    facts = outcome.facts
    assert outcome.decision.promoted
    assert 0.48 < facts.metrics["test_rmse"] < 0.58 < facts.metrics["plain_test_rmse"]
    assert 0.85 < facts.metrics["interval_coverage"] < 0.95
    assert {"cv_score", "groups_cv_rmse", "interval_coverage_fifth_5", "test_r2"} <= set(facts.metrics)
    assert len(facts.known_answers.rows) >= 10
    assert set(facts.distribution) == {*TABLE.features, ""}


def test_counts_and_samples_are_said(outcome: Trained) -> None:
    """The facts, the run and the card say how many rows there are, and how many each sample has."""
    facts = outcome.facts
    sampled = facts.sampled
    assert sampled is not None
    assert facts.data_rows == 20_640
    assert sampled.parts == 5
    assert (
        facts.train_rows + sampled.choose + sampled.calibrate + sum(facts.removed.values()) + facts.test_rows == 20_640
    )
    assert mlflow.get_run(facts.run_id).data.metrics["sampled_calibrate"] == sampled.calibrate
    text = card.render(facts)
    for count in (sampled.search, sampled.choose, sampled.calibrate, sampled.held_out):
        assert f"{count:,}" in text


def test_candidates_show_who_learned_from_all_rows(outcome: Trained) -> None:
    """The best few of the search have a second score, and the chosen one is the first line."""
    found = mlflow.load_table("candidates.json", run_ids=[outcome.facts.run_id])
    assert found["score_on_all"].notna().sum() == FINALISTS
    assert found["score_on_all"].idxmin() == 0
    first = {name: found[f"param_{name}"][0] for name in outcome.facts.parameters}
    assert first == pytest.approx(outcome.facts.parameters)


def test_same_seed_same_model(outcome: Trained, california: Parts, ready: Ready) -> None:
    """What was registered is what the parameters and the seed give again."""
    (again,) = Here().learn(ready.parts, Work(TABLE, ready.sides, [outcome.facts.parameters], 42))
    kept = registry.load(TABLE.name, outcome.version)
    assert kept.save_raw() == as_estimator(again, {}, TABLE, 42).get_booster().save_raw()


def test_model_is_that_of_the_rows_in_memory(ready: Ready) -> None:
    """Trees from rows that stream by are those of scikit-learn's estimator on the same rows, to the bit."""
    (raw,) = Here().learn(ready.parts, Work(TABLE, ready.sides, [CANDIDATE], 42))
    rows = pd.concat([rows for part in ready.parts for rows in learned_of(part, TABLE, ready.sides)])
    assert len(rows) == ready.prepared.train_rows
    in_memory = xgboost_model(TABLE, 42, CANDIDATE).fit(features(rows, TABLE), truth(rows, TABLE))
    assert in_memory.get_booster().save_raw() == raw


def test_classes_and_categories(mixed: pd.DataFrame, tmp_path: Path) -> None:
    """So they are with categories, missing values and several classes; the estimator predicts what the booster does."""
    table = described()
    ready = preparing.prepare(cut_up(mixed, tmp_path, [500, 2_000]), table, Here())
    (raw,) = Here().learn(ready.parts, Work(table, ready.sides, [CANDIDATE], 1))
    rows = pd.concat([rows for part in ready.parts for rows in learned_of(part, table, ready.sides)])
    in_memory = xgboost_model(table, 1, CANDIDATE).fit(features(rows, table), truth(rows, table))
    assert in_memory.get_booster().save_raw() == raw
    model = as_estimator(raw, CANDIDATE, table, 1)
    asked = features(ready.prepared.parts.test, table)
    np.testing.assert_array_equal(
        model.predict_proba(asked), in_memory.get_booster().predict(DMatrix(asked, enable_categorical=True))
    )


def test_ranges_and_counts_are_of_all_rows(ready: Ready) -> None:
    """Nothing of them is estimated."""
    rows = pd.concat([rows for part in ready.parts for rows in learned_of(part, TABLE, ready.sides)])
    assert ready.prepared.ranges == {name: (rows[name].min(), rows[name].max()) for name in TABLE.features}
    assert ready.prepared.data_rows == 20_640
    assert abs(ready.prepared.test_rows - 0.2 * 20_640) < 200
    assert ready.prepared.repeated_rows == 0


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_cut_otherwise(table: pd.DataFrame, ready: Ready, tmp_path: Path, kind: str) -> None:
    """Samples, sides and counts do not depend on how the table is cut into files, nor on the files' order."""
    shuffled = table.sample(frac=1, random_state=3)
    other = preparing.prepare(cut_up(shuffled, tmp_path, [10, 15_000], kind), TABLE, Here())
    pd.testing.assert_frame_equal(other.prepared.train, ready.prepared.train)
    pd.testing.assert_frame_equal(other.prepared.parts.test, ready.prepared.parts.test)
    pd.testing.assert_frame_equal(other.choose, ready.choose)
    assert other.prepared.ranges == ready.prepared.ranges
    assert other.prepared.removed == ready.prepared.removed


def test_repeated_rows_stay_together(mixed: pd.DataFrame, tmp_path: Path) -> None:
    """Rows that are the same are on one side, wherever they are; how many there are is counted."""
    parts = cut_up(mixed.drop(columns=["group", "day"]), tmp_path, [1_500])
    sides = sides_of(parts, described())
    assert sides.groupby(level=0).nunique().max() == 1
    assert set(sides) == set(Side)
    assert preparing.prepare(parts, described(), Here()).prepared.repeated_rows == 1_000


def test_groups_stay_together(mixed: pd.DataFrame, tmp_path: Path) -> None:
    """A group is on one side, also where one file has its number as a whole one and another as a fraction."""
    parts = cut_up(mixed, tmp_path, [1_500])
    mixed.iloc[1_500:].astype({"group": "float64"}).to_parquet(tmp_path / "part-1.parquet")
    table = described(SplitSays(by="group", column="group"))
    sides = cut(table.split, [values_of(part, table) for part in parts.parts])
    rows = [(batch["group"], where) for part in parts.parts for batch, _, where in rows_of(part, table, sides)]
    found = pd.concat([pd.Series(where, group) for group, where in rows])
    assert found.groupby(level=0).nunique().max() == 1
    assert set(found) == set(Side)


def test_in_time(mixed: pd.DataFrame, tmp_path: Path) -> None:
    """The last rows are held out, those before them choose and calibrate; a day is never on two sides."""
    table = described(SplitSays(by="time", column="day"))
    parts = cut_up(mixed, tmp_path, [1_500])
    sides = cut(table.split, [values_of(part, table) for part in parts.parts])
    rows = [(batch["day"], where) for part in parts.parts for batch, _, where in rows_of(part, table, sides)]
    found = pd.concat([pd.Series(where, day) for day, where in rows]).sort_index(kind="stable")
    assert (np.diff(found) >= 0).all()
    assert found.groupby(level=0).nunique().max() == 1
    assert 0.18 < (found == Side.HELD_OUT).mean() < 0.22
    assert first_held_out(parts.parts, table, Here())["day"] >= sides.cuts[-1]


def test_too_few_groups(mixed: pd.DataFrame, tmp_path: Path) -> None:
    """Three groups cannot be on four sides."""
    parts = cut_up(mixed.assign(group=mixed["group"] % 3), tmp_path, [1_500])
    with pytest.raises(DataError, match="group, which splits the rows, has 3 values"):
        preparing.prepare(parts, described(SplitSays(by="group", column="group")), Here())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows.drop(columns="yes"), r"part-1\.parquet lacks the column yes, which .*part-0\.parquet has"),
        (
            lambda rows: rows.assign(number=rows["number"].astype(str)),
            r"part-1\.parquet has number as text, and .*part-0\.parquet as number",
        ),
        (lambda rows: rows.assign(kind="pink"), r"part-1\.parquet has bad values: kind, row 1: 'pink' is not one of"),
        (lambda rows: rows.assign(number=None), r"part-1\.parquet has bad values: number, row 1: no value"),
    ],
)
def test_a_part_that_is_unlike_the_others(
    mixed: pd.DataFrame, tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], message: str
) -> None:
    """It is named, with the column."""
    parts = cut_up(mixed, tmp_path, [1_500])
    change(mixed.iloc[1_500:]).to_parquet(tmp_path / "part-1.parquet")
    with pytest.raises(DataError, match=message):
        preparing.prepare(Parts(find(parts.source), ""), described(), Here())


def test_bad_values_are_counted_from_the_files_first_row(
    mixed: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In whatever batch they are."""
    monkeypatch.setattr("training.rows.parts.Part.batches.__defaults__", (None, 100))
    parts = cut_up(mixed.assign(number=mixed["number"].where(mixed.index != 2_149)), tmp_path, [1_500])
    with pytest.raises(DataError, match=r"part-1\.parquet has bad values: number, row 650: no value"):
        preparing.prepare(parts, described(), Here())


def test_a_rule_that_looks_across_rows(mixed: pd.DataFrame, tmp_path: Path) -> None:
    """It would mean another thing in each batch, and is refused."""
    rule = CleaningRule(name="far_out", drop="number > number.quantile(0.99)", reason="noise")
    parts = cut_up(mixed, tmp_path, [1_500])
    with pytest.raises(DataError, match="far_out compares rows with others"):
        preparing.prepare(parts, described(cleaning=(rule,)), Here())


def test_too_few_rows(mixed: pd.DataFrame, tmp_path: Path) -> None:
    """Parts so small that a side is empty are refused, with what to do."""
    with pytest.raises(DataError, match=r"too few to train in parts.*Put them into one file"):
        preparing.prepare(cut_up(mixed.head(8), tmp_path, [4]), described(), Here())


def test_one_file_is_read_into_memory(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Unless its values take too much of it; which it is, is said."""
    table.to_parquet(tmp_path / "rows.parquet")
    one = rows_of_data(TABLE, str(tmp_path))
    assert isinstance(one, Dataset)
    pd.testing.assert_frame_equal(one.table, table)
    monkeypatch.setattr("training.rows.parts.SHARE_OF_MEMORY", 1e-9)
    with caplog.at_level("INFO"):
        assert isinstance(rows_of_data(TABLE, str(tmp_path)), Parts)
    assert "Training in parts, since its values take 0.0 GB" in caplog.text


def test_sample_is_of_the_rows_alone() -> None:
    """Whatever their order and however they arrive, the same rows are taken, equal ones all or none."""
    random = np.random.default_rng(0)
    rows = pd.DataFrame({"value": random.integers(0, 3_000, 10_000).astype(float)})
    found = []
    for order, parts in ((rows, 1), (rows.sample(frac=1, random_state=1), 3), (rows[::-1], 7)):
        whole = Sample(1_000)
        for places in np.array_split(np.arange(len(order)), parts):
            part = Sample(1_000)
            for batch in np.array_split(places, 9):
                some = order.iloc[batch].reset_index(drop=True)
                part.add(some, row_hashes(some))
            whole.merge(part)
        found.append(whole.table())
    assert 950 < len(found[0]) <= 1_000
    pd.testing.assert_frame_equal(found[0], found[1])
    pd.testing.assert_frame_equal(found[0], found[2])
    counts = rows["value"].value_counts()
    taken = found[0]["value"].value_counts()
    assert taken.to_dict() == counts[taken.index].to_dict()
