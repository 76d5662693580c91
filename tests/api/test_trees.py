"""The trees, read and walked, against XGBoost itself: the installed one, the newest one, and files of older ones."""

import json
import pickle
import re
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from hypothesis import given
from hypothesis import strategies as st

from api.errors import ModelRefused
from api.trees import walk, xgboost_file
from api.trees.lignum.scoring import FEW_ROWS, Scorer
from api.trees.objectives import OBJECTIVES
from api.trees.walk import Trees
from tests.api import mutate, newest_xgboost
from tests.api.models import write

MODELS = Path(__file__).with_name("models")
OLDER = sorted(file.relative_to(MODELS).as_posix() for file in MODELS.glob("*/*.[uj]*"))
NEWEST = ".".join(str(part) for part in xgboost_file.NEWEST_XGBOOST)
EVERYTHING = MODELS / OLDER[-1].split("/")[0] / "everything.ubj"


def load(file: Path) -> Trees:
    return Trees.of(xgboost_file.read(file.name, file.read_bytes()))


def assert_same_bits(ours: Any, theirs: Any) -> None:
    """Equal as numbers and as bits: no rounding, no other zero."""
    np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(ours.view(np.uint32), theirs.view(np.uint32))


def compare(trees: Trees, noted: Any) -> None:
    """Raw scores, answers and contributions of rows together, and of each alone, as XGBoost noted them."""
    rows = noted["rows"]
    for ask in (trees.margins, trees.predict, trees.explain):
        np.testing.assert_array_equal(np.concatenate([ask(row[np.newaxis]) for row in rows]), ask(rows))
    assert_same_bits(trees.margins(rows), noted["margins"])
    many = 1 + FEW_ROWS // len(rows)
    assert_same_bits(trees.margins(np.concatenate([rows] * many)), np.concatenate([noted["margins"]] * many))
    assert_same_bits(trees.margins_by_numpy(rows), noted["margins"])
    answers = trees.predict(rows)
    if trees.objective.name == "multi:softmax":
        assert answers.shape == (len(rows), trees.n_outputs)
        answers = answers.argmax(axis=1).astype(np.float32)
    assert_same_bits(answers, noted["answers"])
    contributions, theirs = trees.explain(rows), noted["contributions"]
    if np.isfinite(theirs).all():
        np.testing.assert_allclose(contributions, theirs, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(contributions.sum(axis=-1), noted["margins"], rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module", params=["the installed XGBoost", "the newest XGBoost"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of all kinds, and what the XGBoost that wrote them predicts."""
    python = Path(sys.executable) if "installed" in request.param else newest_xgboost.python()
    folder = tmp_path_factory.mktemp("written")
    done = subprocess.run([python, "-W", "ignore", write.__file__, folder], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("kind", write.KINDS)
def test_predicts_as_the_xgboost_that_wrote_it(written: Path, kind: str) -> None:
    """Every kind of model gives XGBoost's raw scores and answers to the bit, and its contributions, in both formats."""
    noted = np.load(written / f"{kind}.npz")
    for ending in ("ubj", "json"):
        compare(load(written / f"{kind}.{ending}"), noted)


@pytest.mark.parametrize("kind", write.REFUSED)
def test_names_what_it_does_not_read(written: Path, kind: str) -> None:
    """A model of another kind is refused in one sentence that names it."""
    with pytest.raises(ModelRefused, match=write.REFUSED[kind][1]) as caught:
        load(written / f"{kind}.ubj")
    assert "damaged" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_newest_is_what_was_compared(written: Path) -> None:
    """No release passes for covered that these tests have not compared: the newest one is the lock's newest."""
    version = json.loads((written / "plain.json").read_text())["version"]
    assert tuple(version[:2]) <= xgboost_file.NEWEST_XGBOOST
    assert f"xgboost-cpu=={NEWEST}." in newest_xgboost.requirements()


@pytest.mark.parametrize("file", OLDER)
def test_predicts_as_older_releases(file: str) -> None:
    """Files of releases before and after each change of the format are read to the bit as those releases read them."""
    path = MODELS / file
    compare(load(path), np.load(path.with_suffix(".npz")))


def test_older_files_cover_each_change() -> None:
    """1.7 has no rounds, 3.1 began lists of base scores, 3.3 and 3.4 each moved dropout's weights."""
    assert {file.split("/")[0][:3] for file in OLDER} >= {"1.7", "2.1", "3.0", "3.3", NEWEST}


def test_kinds_cover_all_objectives() -> None:
    """Each objective that is not refused is compared."""
    used = {kind.parameters.get("objective", "reg:squarederror") for kind in write.KINDS.values()}
    assert used == set(OBJECTIVES)


@pytest.fixture(scope="module")
def stumps() -> xgboost.Booster:
    return write.train(write.Kind({"max_depth": 2}))


@given(data=st.data())
def test_values_at_a_threshold_go_where_xgboost_sends_them(stumps: xgboost.Booster, data: st.DataObject) -> None:
    """Rows made of the model's own thresholds and their neighbours among the floats are predicted as XGBoost does."""
    trees = Trees.of(xgboost_file.read("model.ubj", bytes(stumps.save_raw("ubj"))))
    thresholds = trees.layout.threshold[np.isfinite(trees.layout.threshold)]
    beside = [np.nextafter(thresholds, np.float32(towards)) for towards in (-np.inf, np.inf)]
    near = np.concatenate([thresholds, *beside, [-0.0, 1e-45, np.nan]])
    row = data.draw(st.lists(st.sampled_from(near.tolist()), min_size=8, max_size=8))
    rows = np.array([row], np.float32)
    assert_same_bits(trees.predict(rows), stumps.predict(xgboost.DMatrix(rows, feature_names=write.NAMES)))


@pytest.mark.parametrize("steps", [1, 7, 100, 10_000])
def test_parts_add_up(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """In whatever parts numpy walks rows and trees, the sums are the same to the bit."""
    trees, rows = load(EVERYTHING), np.load(EVERYTHING.with_suffix(".npz"))["rows"]
    whole, explained = trees.margins(rows), trees.explain(rows)
    monkeypatch.setattr(walk, "STEPS_AT_ONCE", steps)
    monkeypatch.setattr(walk, "ROWS_AT_ONCE", 1 + steps // 10)
    assert_same_bits(trees.margins_by_numpy(rows), whole)
    assert_same_bits(trees.explain(rows), explained)


def test_travels_between_processes() -> None:
    """What is loaded in one process predicts the same bits in another, and again after that."""
    trees, rows = load(EVERYTHING), np.load(EVERYTHING.with_suffix(".npz"))["rows"]
    for _ in range(2):
        travelled = pickle.loads(pickle.dumps(trees))
        assert_same_bits(travelled.margins(rows), trees.margins(rows))
        trees = travelled


@pytest.mark.parametrize("few", [True, False], ids=["few rows", "many rows"])
@pytest.mark.parametrize("file", ["3.4.1/plain.ubj", "3.4.1/everything.ubj"])
def test_a_walk_that_differs_in_a_bit_is_refused(file: str, few: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model is not loaded where lignum and numpy do not walk it alike, few rows or many."""
    scores = Scorer.scores

    def bent(self: Scorer, rows: Any) -> Any:
        right = scores(self, rows)
        if few is (len(rows) <= FEW_ROWS):
            right.flat[-1] = np.nextafter(right.flat[-1], np.float32(np.inf))
        return right

    monkeypatch.setattr(Scorer, "scores", bent)
    with pytest.raises(ModelRefused, match="do not walk the model's trees alike"):
        load(MODELS / file)


def test_damaged_files_neither_crash_nor_mislead() -> None:
    """Of 600 damaged files each is refused, or read and walked by both to the same bits; none ends the process."""
    done = subprocess.run([sys.executable, "-m", mutate.__name__, "0", "600"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    read, refused = (int(number) for number in re.findall(r"\d+", done.stdout))
    assert min(read, refused) > 20


def test_memory_does_not_grow_with_what_is_asked() -> None:
    """A hundred thousand rows take the memory of their answers, and what one part of them takes."""
    trees = load(EVERYTHING)
    rows = np.tile(np.load(EVERYTHING.with_suffix(".npz"))["rows"], (1_700, 1))
    tracemalloc.start()
    try:
        for ask in (trees.margins, trees.explain):
            tracemalloc.reset_peak()
            answers = ask(rows)
            assert tracemalloc.get_traced_memory()[1] < 2 * answers.nbytes + 8_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("threshold", [np.inf, -np.inf])
def test_infinite_thresholds(threshold: float) -> None:
    """A threshold beyond all numbers sends each of them the same way, and what is missing where the split says."""
    largest = float(np.finfo(np.float32).max)
    rows = np.array([[0.0], [largest], [-largest], [np.nan]], np.float32).repeat(8, axis=1)
    forest = xgboost_file.read("plain.ubj", (MODELS / "3.4.1/plain.ubj").read_bytes())
    condition = np.where(forest.nodes.left == -1, forest.nodes.condition, np.float32(threshold))
    trees = Trees.of(replace(forest, nodes=replace(forest.nodes, condition=condition)))
    assert_same_bits(trees.margins(rows), trees.margins_by_numpy(rows))
    assert trees.margins(rows[0:1]) == trees.margins(rows[1:2]) == trees.margins(rows[2:3])
