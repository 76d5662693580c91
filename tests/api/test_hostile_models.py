"""Models that must not serve: each is refused with what is wrong, and nothing in any of them is ever executed."""

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.xgboost
import numpy as np
import pytest
import xgboost
import yaml
from hypothesis import given
from hypothesis import strategies as st
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, DataType, Schema
from msgspec import structs

from api.errors import ModelRefused
from api.model.model import Model
from api.store.fetch import FetchedModel, fetch
from api.store.manifest import MANIFEST_NAME, PREDICTIONS, IntervalBins, KnownAnswers, Shares, decode
from api.store.mlmodel import decode_mlmodel
from api.store.opening import open_store
from api.store.schema import Schema as TableSchema
from api.store.schema import Target
from tests.california import EXAMPLE, FEATURES, SCHEMA
from tests.manifests import rewrite
from tests.running import Serve

Document = dict[str, Any]
SMALL_MODEL = Path(__file__).with_name("models") / "3.4.1/plain.ubj"


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.store.fetch.time.sleep", lambda _: None)


def load(directory: Path) -> Model:
    """As the service does."""
    return Model.load(fetch(open_store("", str(directory))))


@pytest.fixture(scope="module")
def document() -> Document:
    """A whole model in XGBoost's JSON."""
    decoded: Document = json.loads(xgboost.Booster(model_file=SMALL_MODEL).save_raw("json"))
    return decoded


def plain(document: Any, mlmodel: str = "flavors: {xgboost: {data: model.json, xgb_version: 3.2.0}}") -> FetchedModel:
    """A plain MLflow directory around it, in memory."""
    model = document if isinstance(document, bytes) else json.dumps(document).encode()
    return FetchedModel("here", {"MLmodel": mlmodel.encode(), "model.json": model}, None)


def copied(document: Document, change: Callable[[Document], object]) -> Document:
    """The model with a change."""
    copy: Document = json.loads(json.dumps(document))
    change(copy)
    return copy


def learner(document: Document) -> Document:
    """The part that has features, objective and base score."""
    part: Document = document["learner"]
    return part


def without_names(document: Document) -> None:
    """A model that was trained on bare numbers."""
    learner(document)["feature_names"] = []


OTHERS: dict[str, tuple[Callable[[Document], object], str]] = {
    "no learner": (lambda m: m.pop("learner"), "no 'learner'"),
    "seven features": (lambda m: learner(m)["learner_model_param"].update(num_feature="7"), "7 features"),
    "two targets": (
        lambda m: learner(m)["learner_model_param"].update(num_target="2"),
        "2 targets at once; the service predicts one",
    ),
    "categories": (lambda m: learner(m).update(feature_types=["q"] * 7 + ["c"]), "does not name the categories"),
    "a newer XGBoost": (lambda m: m.update(version=[99, 0, 0]), "99.0.0, newer than"),
    "an older XGBoost": (lambda m: m.update(version=[1, 6, 2]), "1.6.2, older than"),
    "another missing value": (
        lambda m: learner(m)["attributes"].update(scikit_learn='{"missing": 0.0, "n_jobs": null}'),
        "missing=0.0",
    ),
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_model_is_refused(document: Document, other: str) -> None:
    """A model that predicts something else, from other features, or was written by an unknown XGBoost is refused."""
    change, word = OTHERS[other]
    with pytest.raises(ModelRefused, match=word) as caught:
        Model.load(plain(copied(document, change)))
    assert len(str(caught.value)) < 1_000


def test_the_model_itself_is_taken(document: Document) -> None:
    """The same model without the change serves."""
    assert Model.load(plain(document)).version == "unpublished"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b"[]", b"\xff", b"[" * 100_000, pickle.dumps({"learner": 1}), b'{"learner":{"trees":[]}}'],
)
def test_file_that_is_no_model_is_refused(content: bytes) -> None:
    """What is not XGBoost's JSON is refused."""
    with pytest.raises(ModelRefused, match=r"model\.json"):
        Model.load(plain(content))


def bomb(levels: int, merged: bool) -> str:
    """Nine to the power of `levels` values in a few lines of YAML."""
    lines = ["a0: &a0 {x: 1}" if merged else "a0: &a0 [1, 2]"]
    for level in range(1, levels):
        inner = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} {{<<: [{inner}]}}" if merged else f"a{level}: &a{level} [{inner}]")
    return "\n".join([*lines, "flavors: {xgboost: {data: model.json}}"])


MLMODELS = {
    "another class": "flavors: {xgboost: {data: model.json, model_class: my.own.Regressor}}",
    "nothing": "",
    "a text": "hello",
    "a list": "[1, 2]",
    "another flavour": "flavors: {sklearn: {pickled_model: model.pkl}}",
    "a Python object": "flavors: !!python/object/apply:os.system ['touch /tmp/owned']",
    "another Python object": "flavors: !!python/name:os.system",
    "laughs": bomb(9, merged=False),
    "merged laughs": bomb(9, merged=True),
    "depth": "[" * 50_000,
    "depth of objects": "{a: " * 50_000,
    "a tab": "flavors:\n\txgboost: {}",
    "an impossible date": "flavors: {xgboost: {data: model.json}}\nrun_id: 2026-99-99 99:99:99",
    "no data": "flavors: {xgboost: {xgb_version: 3.2.0}}",
    "a newer XGBoost": "flavors: {xgboost: {data: model.json, xgb_version: 99.0.0}}",
    "a signature that is not JSON": "flavors: {xgboost: {data: model.json}}\nsignature: {inputs: '[{'}",
    "a signature of text": "flavors: {xgboost: {data: model.json}}\nsignature: {inputs: '\"abc\"'}",
    "a signature without end": "flavors: {xgboost: {data: model.json}}\nsignature: {inputs: '" + "[" * 10_000 + "'}",
}


def test_another_library_is_named(document: Document) -> None:
    """A LightGBM model is refused as what it is, not as an XGBoost model with a fault."""
    flavors = "flavors: {lightgbm: {lgb_version: 4.6.0, data: model.lgb}, python_function: {loader_module: mlflow}}"
    with pytest.raises(ModelRefused, match=r"a model of lightgbm; the service serves what mlflow\.xgboost saves"):
        Model.load(plain(document, flavors))


@pytest.mark.parametrize("case", MLMODELS)
def test_hostile_mlmodel_is_refused(document: Document, case: str) -> None:
    """An MLmodel that describes no XGBoost model, or explodes when read, is refused at no cost."""
    with pytest.raises(ModelRefused):
        Model.load(plain(document, MLMODELS[case]))


def signed(*columns: dict[str, Any]) -> str:
    """An MLmodel whose signature has these columns."""
    return yaml.safe_dump(
        {"flavors": {"xgboost": {"data": "model.json"}}, "signature": {"inputs": json.dumps(columns)}}
    )


COLUMNS = [{"type": "double", "name": name, "required": True} for name in FEATURES]


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        (COLUMNS[::-1], "features"),
        (COLUMNS[:-1], "features"),
        ([*COLUMNS, COLUMNS[0]], "features"),
        ([{**COLUMNS[0], "type": "string"}, *COLUMNS[1:]], "'MedInc' the type 'string'"),
        ([{**COLUMNS[0], "type": ["double"]}, *COLUMNS[1:]], "'MedInc' the type"),
        ([{**COLUMNS[0], "name": "Income"}, *COLUMNS[1:]], "Income"),
    ],
)
def test_signature_must_be_the_schema(document: Document, columns: list[dict[str, Any]], word: str) -> None:
    """A signature with other features, in another order, or of another type is refused, though the file is right."""
    Model.load(plain(document, signed(*COLUMNS)))
    with pytest.raises(ModelRefused, match=word):
        Model.load(plain(document, signed(*columns)))


def test_model_without_any_names_is_taken_with_a_warning(document: Document, caplog: pytest.LogCaptureFixture) -> None:
    """A model that names no columns serves in the schema's order, and the log says that this was assumed."""
    Model.load(plain(copied(document, without_names)))
    assert "does not name its columns" in caplog.text


ROW: list[float | None] = [*EXAMPLE.values()]
FIRST = SCHEMA.features[0]


def schema(**changes: Any) -> TableSchema:
    """California's, with something else in it."""
    return structs.replace(SCHEMA, **changes)


def with_first(**changes: Any) -> TableSchema:
    """California's, with another first feature."""
    return schema(features=(structs.replace(FIRST, **changes), *SCHEMA.features[1:]))


def known(rows: list[list[float | None]], *answers: float) -> KnownAnswers:
    """Known answers without a link function between score and prediction."""
    return KnownAnswers(rows, [[answer] for answer in answers], [[answer] for answer in answers])


IMPOSSIBLE: dict[str, tuple[str, object]] = {
    "features reordered": ("schema", schema(features=SCHEMA.features[::-1])),
    "no features": ("schema", schema(features=())),
    "a feature too few": ("schema", schema(features=SCHEMA.features[1:])),
    "a feature twice": ("schema", schema(features=(*SCHEMA.features[:7], FIRST))),
    "a category without categories": ("schema", with_first(kind="category")),
    "categories that the model has not": ("schema", with_first(kind="category", categories=("a", "b"))),
    "a target of classes": ("schema", schema(target=Target(name="t", kind="category", classes=("a", "b")))),
    "a number with classes": ("schema", schema(target=structs.replace(SCHEMA.target, classes=("a", "b")))),
    "ranges of other features": ("ranges", {"Ocean": (0.0, 1.0)}),
    "a range upside down": ("ranges", dict.fromkeys(FEATURES, (1.0, 0.0))),
    "a negative interval": ("interval", IntervalBins([], [-0.1], [0.1])),
    "an interval without bins": ("interval", IntervalBins([], [], [])),
    "an interval with a bin too many": ("interval", IntervalBins([1.0], [0.1], [0.1])),
    "bins out of order": ("interval", IntervalBins([2.0, 1.0], [0.1] * 3, [0.1] * 3)),
    "a distribution of another feature": ("distribution", {"Ocean": Shares([], [1.0])}),
    "a distribution with a bin too many": ("distribution", {FIRST.name: Shares([1.0], [0.5, 0.25, 0.25])}),
    "edges out of order": ("distribution", {FIRST.name: Shares([2.0, 1.0], [0.5, 0.25, 0.25])}),
    "a negative share": ("distribution", {PREDICTIONS: Shares([1.0], [1.5, -0.5])}),
    "a thousand bins": ("distribution", {PREDICTIONS: Shares(list(map(float, range(999))), [0.001] * 1000)}),
    "no bins": ("distribution", {PREDICTIONS: Shares([], [])}),
    "a newer XGBoost": ("xgboost_version", "99.1.0"),
    "no known answers": ("known_answers", known([])),
    "rows of seven": ("known_answers", known([ROW[:7]], 1.0)),
    "rows of different lengths": ("known_answers", known([ROW, ROW[:7]], 1.0, 1.0)),
    "one answer short": ("known_answers", known([ROW, ROW], 1.0)),
    "answers of two outputs": ("known_answers", KnownAnswers([ROW], [[1.0, 1.0]], [[1.0, 1.0]])),
    "a wrong answer": ("known_answers", known([ROW], 1.0)),
    "an answer beyond floats": ("known_answers", known([ROW], 1e300)),
    "a row beyond floats": ("known_answers", known([[1e300] * 8], 1.0)),
    "a million rows": ("known_answers", known([ROW] * 5_000, *[1.0] * 5_000)),
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_manifest_that_cannot_be_is_refused(damaged_directory: Path, case: str) -> None:
    """A manifest that contradicts the schema, or whose known answers the model does not give, is refused."""
    field, value = IMPOSSIBLE[case]
    rewrite(damaged_directory, **{field: value})
    with pytest.raises(ModelRefused):
        load(damaged_directory)


def test_nearly_right_answer_is_wrong(damaged_directory: Path) -> None:
    """A known answer that is off by one bit is enough to refuse the model."""
    manifest = decode((damaged_directory / MANIFEST_NAME).read_bytes())
    answers = manifest.known_answers
    off = [float(np.nextafter(np.float32(answers.predictions[-1][0]), np.float32(99)))]
    bent = structs.replace(answers, predictions=[*answers.predictions[:-1], off])
    rewrite(damaged_directory, known_answers=bent)
    with pytest.raises(ModelRefused, match="known row"):
        load(damaged_directory)


class Owned:
    """Something that runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self.marker}",)


def test_nothing_is_executed(model_directory: Path, tmp_path: Path) -> None:
    """Pickles, loaders and code in a model directory, named by MLmodel, are not as much as opened."""
    directory, marker = tmp_path / "hostile", tmp_path / "owned"
    (directory / "code").mkdir(parents=True)
    (directory / "model.ubj").write_bytes((model_directory / "model.ubj").read_bytes())
    for name in ("python_model.pkl", "model.pkl", "artifacts.pkl"):
        (directory / name).write_bytes(pickle.dumps(Owned(marker)))
    for name in ("loader.py", "code/__init__.py", "code/sitecustomize.py", "msgspec.py", "numpy.py"):
        (directory / name).write_text(f"open({str(marker)!r}, 'w')")
    (directory / "requirements.txt").write_text("https://hostile.example/owned.tar.gz")
    flavors = {
        "python_function": {"loader_module": "loader", "code": "code", "python_model": "python_model.pkl"},
        "xgboost": {"data": "model.ubj", "code": "code", "xgb_version": "3.2.0"},
    }
    (directory / "MLmodel").write_text(yaml.safe_dump({"flavors": flavors}))
    script = (
        "import sys\n"
        "from api.store.fetch import fetch\n"
        "from api.model.model import Model\n"
        "from api.store.opening import open_store\n"
        "opened = []\n"
        "armed = lambda event, arguments: opened.append((event, str(arguments[0]))) "
        "if event in ('open', 'exec', 'import', 'os.system', 'subprocess.Popen', 'pickle.find_class') else None\n"
        "sys.addaudithook(armed)\n"
        f"Model.load(fetch(open_store('', {str(directory)!r})))\n"
        f"print(sorted(path for event, path in opened if {str(directory)!r} in path))\n"
        "print([event for event, _ in opened if event in ('os.system', 'subprocess.Popen', 'pickle.find_class')])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines() == [str([str(directory / "MLmodel"), str(directory / "model.ubj")]), "[]"]
    assert not marker.exists()


def test_a_pickled_model_is_never_loaded(tmp_path: Path) -> None:
    """A model file that is a pickle is refused whatever it is called."""
    marker = tmp_path / "owned"
    for name in ("model.pkl", "model.ubj", "model.json", "model.xgb"):
        files = {"MLmodel": f"flavors: {{xgboost: {{data: {name}}}}}".encode(), name: pickle.dumps(Owned(marker))}
        with pytest.raises(ModelRefused, match=name):
            Model.load(FetchedModel("here", files, None))
    assert not marker.exists()


# MLflow warns of its own type hints.
@pytest.mark.filterwarnings("ignore:.*Any type hint:UserWarning")
@pytest.mark.parametrize("kind", ["ubj", "json"])
@pytest.mark.parametrize("signature", [None, ModelSignature(Schema([ColSpec(DataType.double, n) for n in FEATURES]))])
def test_what_mlflow_saves_is_served(tmp_path: Path, kind: str, signature: ModelSignature | None) -> None:
    """A directory that `mlflow.xgboost.save_model` wrote predicts exactly as XGBoost, with or without a signature."""
    booster = xgboost.Booster(model_file=SMALL_MODEL)
    mlflow.xgboost.save_model(
        booster, tmp_path / "model", model_format=kind, signature=signature, pip_requirements=["xgboost"]
    )
    model = load(tmp_path / "model")
    rows = np.random.default_rng(3).uniform(0, 40, (100, 8)).astype(np.float32)
    expected = booster.predict(xgboost.DMatrix(rows, feature_names=list(FEATURES)))
    np.testing.assert_array_equal(model.predict(rows), expected)
    assert not any(model.extrapolated(rows))


@pytest.fixture(scope="module")
def mlmodel(model_directory: Path) -> bytes:
    return (model_directory / "MLmodel").read_bytes()


@given(place=st.integers(0), junk=st.text(max_size=6), replaced=st.integers(0, 6))
def test_any_mlmodel_is_read_or_refused(mlmodel: bytes, place: int, junk: str, replaced: int) -> None:
    """An MLmodel with some characters changed is read or refused, never anything else."""
    place %= len(mlmodel)
    raw = mlmodel[:place] + junk.encode(errors="replace") + mlmodel[place + replaced :]
    try:
        assert decode_mlmodel(raw).flavors.xgboost.data
    except ModelRefused:
        return


@pytest.mark.parametrize(
    ("damage", "word"),
    [("one bit", "not the file that was published"), ("a wrong answer", "known row"), ("a newer XGBoost", "99.1.0")],
)
def test_the_process_ends_and_says_why(serve: Serve, damaged_directory: Path, damage: str, word: str) -> None:
    """A service with such a model never listens: one critical line says what is wrong, and it exits with 1."""
    if damage == "one bit":
        file = damaged_directory / "model.ubj"
        file.write_bytes(file.read_bytes()[:-1] + b"\0")
    else:
        field, value = IMPOSSIBLE[damage]
        rewrite(damaged_directory, **{field: value})
    ended = serve(
        arguments=(
            "-c",
            (
                "import sys; from api.store import fetch; fetch.ATTEMPTS = 2; "
                "from api.__main__ import main; sys.exit(main())"
            ),
        ),
        MODEL_PATH=str(damaged_directory),
    )
    assert ended.url == ""
    assert ended.process.wait(30) == 1
    last = ended.lines()[-1]
    assert last["level"] == "CRITICAL"
    assert last["message"].startswith("ModelRefused: ")
    assert word in last["message"]
    assert "exception" not in last
