"""Whether captured rows have drifted from the training rows, and what the truth says of the predictions."""

import re
import signal
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import mlflow
import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import xgboost
from mlflow import MlflowClient
from msgspec import structs

from api.store.manifest import PREDICTIONS, Manifest, Shares
from api.store.schema import Feature, Schema, Target
from tests.california import FEATURES, MODEL_NAME, SCHEMA, TARGET
from tests.training.capturing import keep, lines
from tests.training.conftest import Home
from training.__main__ import run
from training.errors import DataError
from training.fitting.distribution import distribution
from training.publishing import registry, releases, tracking
from training.publishing.local_store import LocalStore
from training.tables.description import FeatureSays, Table, TargetSays
from training.watching import captured
from training.watching.drift import FEWEST_TRUE, compare
from training.watching.truth import measure

NOW = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
HOURS = 168
DRIFT_AFTER = 100
A_HOUR = 520


@pytest.fixture
def published(home: Home, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Version 1, published to `models` in the working directory."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    assert run(["publish"]) == 0
    return releases.find("1", LocalStore(Path("models"), MODEL_NAME))


@pytest.fixture
def logs(moto_url: str) -> Iterator[None]:
    """An emulated CloudWatch that has no log group, before and after."""
    yield
    client = boto3.client("logs")
    for found in client.describe_log_groups()["logGroups"]:
        client.delete_log_group(logGroupName=found["logGroupName"])


def answered(rows: pd.DataFrame) -> npt.NDArray[np.floating]:
    """What version 1 predicts."""
    with tracking.connected():
        predicted: npt.NDArray[np.floating] = registry.load(MODEL_NAME, "1").predict(xgboost.DMatrix(rows))
    return predicted


def richer(rows: pd.DataFrame) -> pd.DataFrame:
    """Another population: incomes half as high again, as fifteen years of inflation would have it."""
    return rows.assign(MedInc=rows["MedInc"] * 1.5)


def with_answers(rows: pd.DataFrame, predicted: npt.NDArray[np.floating]) -> pd.DataFrame:
    """Captured rows at hand."""
    frame = rows.copy()
    frame[captured.PREDICTION], frame[captured.TIME] = predicted, NOW
    return frame


def kept(rows: pd.DataFrame, file: str, **others: object) -> None:
    """A file of captured rows, without the detour over a log."""
    texts = lines(rows, answered(rows), [NOW] * len(rows), SCHEMA.target.answer, **others)
    captured.write(captured.Lines(SCHEMA).records(texts), SCHEMA, Path(file))


def test_a_week_of_two_populations(published: Manifest, logs: None, table: pd.DataFrame) -> None:
    """Of a captured week a hundred hours are as in training and raise no alarm; the drifted ones after them all do."""
    chosen = np.random.default_rng(7).integers(len(table), size=HOURS * A_HOUR)
    rows = table[list(FEATURES)].iloc[chosen].reset_index(drop=True)
    hour = np.arange(len(rows)) // A_HOUR
    later = hour >= DRIFT_AFTER
    rows = pd.concat([rows[~later], richer(rows[later])])
    begin = NOW - timedelta(hours=HOURS)
    times = [begin + timedelta(hours=int(i) + 1, minutes=-30) for i in hour]
    group = keep(lines(rows, answered(rows), times, SCHEMA.target.answer), times)
    assert run(["captured", "--since", "8d", "--log-group", group, "--out", "week.parquet"]) == 0
    week = captured.load(Path("week.parquet"))
    hours = week[captured.TIME].dt.floor("h")
    moved = {at: {c.name for c in compare(part, published).columns if c.moved} for at, part in week.groupby(hours)}
    assert [len(part) for _, part in week.groupby(hours)] == [A_HOUR] * HOURS
    assert [*moved.values()][:DRIFT_AFTER] == [set()] * DRIFT_AFTER
    assert all("MedInc" in found for found in [*moved.values()][DRIFT_AFTER:])
    assert not compare(week[~later], published).reasons
    assert compare(week[later], published).reasons[0].startswith("MedInc has moved: ")


def test_rows_as_in_training(published: Manifest, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """Undrifted rows end with 0; the report is a page of its own, and lies with the version's run."""
    kept(table[list(FEATURES)].sample(2000, random_state=1), "rows.parquet")
    assert run(["drift", "--captured", "rows.parquet"]) == 0
    said = capsys.readouterr().out
    assert "Nothing speaks for retraining. The report: drift.html" in said
    page = Path("drift.html").read_text()
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.count('src="data:image/png;base64,') == page.count('alt="Bars') == 2
    assert all(f'<th scope="row">{name}</th>' in page for name in [*FEATURES, "predictions"])
    (report,) = MlflowClient().list_artifacts(published.run_id, "drift")
    assert mlflow.artifacts.load_text(f"runs:/{published.run_id}/{report.path}") == page
    logged = mlflow.get_run(published.run_id).data.metrics
    assert 0 < logged["drift_prediction"] < 0.2
    assert 0 < logged["drift_feature"] < 0.2


def test_rows_of_another_population(
    published: Manifest, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    """Drifted rows end with 4 and the reason, on the screen and on the page, the second time as the first."""
    kept(richer(table[list(FEATURES)].sample(2000, random_state=1)), "rows.parquet")
    for _ in range(2):
        assert run(["drift", "--captured", "rows.parquet", "--out", "report.html"]) == 4
        said = " ".join(capsys.readouterr().out.split())
        assert "MedInc has moved: population stability index" in said
        assert "Retrain: the model no longer fits the rows that it is asked about." in said
        assert "MedInc has moved: population stability index" in Path("report.html").read_text()


def test_live_figures(published: Manifest, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """True values give the live error and coverage beside the card's; worse by more than chance is a reason."""
    rows = table.sample(2000, random_state=1)
    kept(rows[list(FEATURES)], "rows.parquet")
    truth = pd.DataFrame({"request_id": [str(i) for i in range(2000)], TARGET: rows[TARGET].to_numpy()})
    truth.to_csv("truth.csv", index=False)
    assert run(["drift", "--captured", "rows.parquet", "--truth", "truth.csv"]) == 0
    said = capsys.readouterr().out
    errors = answered(rows[list(FEATURES)]) - rows[TARGET].to_numpy()
    assert f"RMSE: {np.sqrt((errors**2).mean()):.4f} live, {published.metrics['test_rmse']:.4f} by the card" in said
    assert f"90 % intervals hold: {(np.abs(errors) <= 1).mean():.1%} live" in said
    truth.assign(**{TARGET: np.minimum(truth[TARGET] + 1.5, 6)}).to_csv("truth.csv", index=False)
    assert run(["drift", "--captured", "rows.parquet", "--truth", "truth.csv"]) == 4
    said = " ".join(capsys.readouterr().out.split())
    assert "the live RMSE is 1." in said
    assert re.search(r"the intervals hold \d\d\.\d% of the true values, 9\d\.\d% by the card", said)
    assert "has moved" not in said
    assert mlflow.get_run(published.run_id).data.metrics["live_rmse"] > 1


def test_too_few_rows(published: Manifest, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """A handful of rows, however odd, says nothing, and that is said."""
    kept(richer(table[list(FEATURES)].head(20)), "rows.parquet")
    assert run(["drift", "--captured", "rows.parquet"]) == 0
    assert "20 rows are too few to tell drift from chance" in capsys.readouterr().out


def test_rows_of_several_versions(published: Manifest, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows of the version that answered last count; others are named, and can be asked for."""
    rows = table[list(FEATURES)].sample(600, random_state=1)
    old = lines(rows, answered(rows), [NOW - timedelta(hours=1)] * 600, SCHEMA.target.answer, model_version="3")
    new = lines(richer(rows), answered(rows), [NOW] * 600, SCHEMA.target.answer)
    captured.write(captured.Lines(SCHEMA).records([*old, *new]), SCHEMA, Path("rows.parquet"))
    assert run(["drift", "--captured", "rows.parquet"]) == 4
    assert "600 rows of version 1" in capsys.readouterr().out
    assert run(["drift", "--captured", "rows.parquet", "--against", "3"]) == 1
    assert "Version 3 is not published there; published are: 1." in capsys.readouterr().err
    assert run(["drift", "--captured", "rows.parquet", "--against", "2"]) == 1
    assert "Version 2 answered none of the rows; there are rows of version" in capsys.readouterr().err


def test_mlflow_does_not_decide(
    published: Manifest, table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a registry that knows no such model, or that does not answer, the report and its verdict are the same."""
    kept(richer(table[list(FEATURES)].sample(600, random_state=1)), "rows.parquet")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///other.db")
    assert run(["drift", "--captured", "rows.parquet"]) == 4
    assert "does not know this model" in capsys.readouterr().out
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:////nowhere/at/all.db")
    Path("drift.html").unlink()
    assert run(["drift", "--captured", "rows.parquet"]) == 4
    assert Path("drift.html").exists()


def test_what_is_no_captured_file(published: Manifest, table: pd.DataFrame, capsys: pytest.CaptureFixture[str]) -> None:
    """Any other table is refused with what to give instead."""
    table.head(10).to_parquet("rows.parquet")
    assert run(["drift", "--captured", "rows.parquet"]) == 1
    assert "give a file that `python -m training captured` wrote" in capsys.readouterr().err


CLASSES = Schema(
    name="flowers",
    features=(
        Feature(name="colour", kind="category", categories=("red", "blue", "white"), missing=True),
        Feature(name="tall", kind="boolean", missing=True),
    ),
    target=Target(name="kind", kind="category", classes=("aster", "iris")),
)


def flowers(size: int, red: float, *, seed: int) -> pd.DataFrame:
    """Captured rows, of which this share is red, and a tenth have no height."""
    random = np.random.default_rng(seed)
    colours = random.choice(["red", "blue", "white"], size, p=[red, 0.9 - red, 0.1])
    tall = pd.Series(random.random(size) < 0.5, dtype=object).where(random.random(size) < 0.9, None)
    labels = random.choice(["aster", "iris"], size, p=[0.3, 0.7])
    return pd.DataFrame({"colour": colours, "tall": tall, captured.PREDICTION: labels, captured.TIME: NOW})


def trained_on(rows: pd.DataFrame, published: Manifest) -> Manifest:
    """A manifest whose distribution is that of these rows."""
    typed = rows.assign(
        colour=pd.Categorical(rows["colour"], ["red", "blue", "white"]), tall=rows["tall"].astype("float64")
    )
    probabilities = np.stack([rows[captured.PREDICTION] == label for label in CLASSES.target.classes], axis=1)
    shares = distribution(typed, probabilities.astype("float64"), CLASSES)
    return structs.replace(published, schema=CLASSES, distribution=shares, ranges={}, metrics={"test_log_loss": 0.5})


def test_categories_yes_and_no_and_labels(published: Manifest) -> None:
    """Shares of categories are compared by name; what has no value, or none that was known, is beside them."""
    manifest = trained_on(flowers(5000, 0.4, seed=1), published)
    same = compare(flowers(3000, 0.4, seed=2), manifest)
    assert same.reasons == []
    assert {column.name: round(column.missing, 1) for column in same.columns} == {
        "colour": 0,
        "tall": 0.1,
        PREDICTIONS: 0,
    }
    redder = flowers(3000, 0.7, seed=2)
    redder.loc[:299, "colour"] = "green"
    found = compare(redder, manifest)
    assert [column.name for column in found.columns if column.moved] == ["colour"]
    assert found.columns[0].missing == 0.1


def test_the_probability_of_yes_is_a_number(published: Manifest) -> None:
    """A model that grows surer has drifted, though it still calls as many rows yes."""
    schema = structs.replace(CLASSES, target=Target(name="left", kind="boolean", classes=("stays", "leaves")))
    surely = np.random.default_rng(4).beta(2, 2, 3000)
    shares = distribution(pd.DataFrame(), np.stack([1 - surely, surely], axis=1), structs.replace(schema, features=()))
    manifest = structs.replace(published, schema=structs.replace(schema, features=()), distribution=shares)
    rows = pd.DataFrame({captured.TIME: NOW, f"{captured.PROBABILITY}leaves": surely})
    assert not compare(rows, manifest).columns[0].moved
    surer = rows[f"{captured.PROBABILITY}leaves"].map(lambda p: p**3 / (p**3 + (1 - p) ** 3))
    assert ((surer > 0.5) == (surely > 0.5)).all()
    assert compare(rows.assign(**{f"{captured.PROBABILITY}leaves": surer}), manifest).columns[0].moved


def test_small_training_tables_have_a_higher_limit(published: Manifest) -> None:
    """The deciles of few training rows are a matter of chance themselves, and no alarm."""
    random = np.random.default_rng(5)
    schema = structs.replace(CLASSES, features=(Feature(name="x"),))
    limits, alarms = [], 0
    for _ in range(100):
        trained = flowers(100, 0.4, seed=1).assign(x=random.normal(size=100))
        probabilities = np.tile([0.3, 0.7], (100, 1))
        shares = distribution(trained, probabilities, schema) | {PREDICTIONS: Shares([], [0.3, 0.7])}
        manifest = structs.replace(published, schema=schema, distribution=shares, ranges={})
        (column, _) = compare(flowers(1000, 0.4, seed=2).assign(x=random.normal(size=1000)), manifest).columns
        limits.append(column.limit or 0)
        alarms += column.moved
    assert min(limits) > 0.2
    assert alarms == 0


def test_extrapolated_rows(published: Manifest, table: pd.DataFrame) -> None:
    """Values beyond the training rows are a reason of their own: the last decile does not tell how far they went."""
    rows = table[list(FEATURES)].sample(1000, random_state=1)
    high = rows["MedInc"] >= rows["MedInc"].quantile(0.92)
    rows.loc[high, "MedInc"] = 1e3
    frame = with_answers(rows, answered(rows))
    found = compare(frame, published)
    assert not any(column.moved for column in found.columns if column.name == "MedInc")
    assert "MedInc lies outside the training rows in 8.0% of the rows, limit 5%" in found.reasons


def test_numbers_are_compared_as_the_model_has_them(published: Manifest) -> None:
    """A number that came rounded to a float32, as by MLflow's clients, is in the bin of the one that it stands for."""
    schema = Schema(name="x", features=(Feature(name="x"),), target=Target(name="y"))
    trained = pd.DataFrame({"x": np.tile([0.1, 0.7, 0.9], 400)})
    shares = distribution(trained, np.tile([0.1, 0.7, 0.9], 400), schema)
    manifest = structs.replace(published, schema=schema, distribution=shares, ranges={"x": (0.1, 0.9)})
    rounded = trained["x"].astype("float32").astype("float64")
    found = compare(pd.DataFrame({"x": rounded, captured.PREDICTION: rounded, captured.TIME: NOW}), manifest)
    assert [(column.psi, column.extrapolated) for column in found.columns] == [(0, 0), (0, 0)]


def test_live_figures_of_classes(published: Manifest) -> None:
    """Log loss and the coverage of the sets of labels stand for classes; of few true values nothing follows."""
    table = Table(
        name="flowers",
        target=TargetSays(column="kind", kind="category", classes=("aster", "iris")),
        features={"colour": FeatureSays(kind="category", categories=("red", "blue", "white"), missing=True)},
    )
    rows = flowers(2000, 0.4, seed=2)
    rows[f"{captured.PROBABILITY}iris"], rows[f"{captured.PROBABILITY}aster"] = 0.8, 0.2
    rows[captured.LABELS] = [["iris"]] * len(rows)
    true = np.random.default_rng(3).choice(["aster", "iris"], len(rows), p=[0.5, 0.5])
    rows["kind"] = pd.Categorical(true, ["aster", "iris"])
    live = measure(rows, table)
    iris = (true == "iris").mean()
    assert live.metrics["test_log_loss"] == pytest.approx(-iris * np.log(0.8) - (1 - iris) * np.log(0.2))
    assert live.metrics["set_coverage"] == pytest.approx(iris)
    manifest = trained_on(flowers(5000, 0.4, seed=1), published)
    manifest = structs.replace(manifest, metrics={"test_log_loss": 0.5, "set_coverage": 0.9})
    loss, sets = compare(rows, manifest, live).reasons
    assert loss.startswith("the live log loss is 0.9")
    assert sets.startswith(f"the sets hold {iris:.1%} of the true values, 90.0% by the card")
    assert compare(rows, manifest, measure(rows.head(FEWEST_TRUE - 1), table)).reasons == []


def test_older_manifests(published: Manifest, table: pd.DataFrame) -> None:
    """A version that does not say how its training rows were distributed is refused with what to do."""
    frame = with_answers(table[list(FEATURES)].head(5), np.ones(5))
    with pytest.raises(DataError, match="Train and publish again"):
        compare(frame, structs.replace(published, distribution={}))
    with pytest.raises(DataError, match="lack MedInc"):
        compare(frame.drop(columns="MedInc"), published)
