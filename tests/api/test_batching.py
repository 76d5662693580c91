"""Rows that wait are predicted together: as many in a turn of the event loop as the size of the model allows."""

import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.model import batching
from api.model.answers import Row, Value
from api.model.batching import Batcher, rows_per_turn
from api.model.model import Model
from api.store.fetch import FetchedModel
from api.trees.walk import Rows, Trees
from tests.california import EXAMPLE

MODEL = Path(__file__).with_name("models") / "3.4.1/plain.ubj"
ROWS: list[Row] = [tuple((EXAMPLE | {"MedInc": float(income)}).values()) for income in range(10)]


@pytest.mark.parametrize(
    ("trees", "depth", "rows"),
    [(500, 8, 128), (12, 4, 128), (1, 0, 128), (5_000, 8, 12), (50_000, 1, 5), (1_000_000, 8, 1)],
)
def test_rows_of_a_turn_follow_from_the_model(trees: int, depth: int, rows: int) -> None:
    """Ten times the trees, a tenth of the rows; one at least, and never more than 128."""
    assert rows_per_turn(trees * (depth + 1)) == rows


@pytest.fixture
def asked() -> list[int]:
    """How many rows the model was asked for, each time."""
    return []


@pytest.fixture
def batcher(asked: list[int], monkeypatch: pytest.MonkeyPatch) -> Batcher:
    """A batcher for a model of which a turn predicts three rows."""
    files = {"MLmodel": b"flavors: {xgboost: {data: model.ubj}}", "model.ubj": MODEL.read_bytes()}
    model = Model.load(FetchedModel("here", files, None))
    assert model.trees.steps == model.trees.n_trees * (model.trees.layout.depth + 1)
    monkeypatch.setattr(batching, "STEPS_PER_TURN", 3 * model.trees.steps + 1)
    predict = Trees.predict

    def counted(trees: Trees, rows: Rows) -> Any:
        asked.append(len(rows))
        return predict(trees, rows)

    monkeypatch.setattr(Trees, "predict", counted)
    return Batcher(model, max_waiting=100, observe=lambda *_: None)


def expected(batcher: Batcher) -> list[float]:
    values: list[float] = batcher.model.trees.margins(np.array(ROWS, np.float32)).tolist()
    return values


def test_rows_of_many_requests_are_predicted_a_few_at_a_time(batcher: Batcher, asked: list[int]) -> None:
    """Ten requests of one moment take four turns, and each gets its own answer."""

    async def all_at_once() -> list[Value]:
        return [answer.value for answer in await asyncio.gather(*map(batcher.predict, ROWS))]

    assert asyncio.run(all_at_once()) == expected(batcher)
    assert asked == [3, 3, 3, 1]


def test_rows_of_a_batch_are_predicted_a_few_at_a_time(batcher: Batcher, asked: list[int]) -> None:
    """Of a batch alone four turns' rows are predicted at once, its answers in order."""
    answers = asyncio.run(batcher.predict_many(np.array(ROWS * 2)))
    assert answers.predicted.tolist() == [answer.value for answer in answers.one_by_one()] == expected(batcher) * 2
    assert asked == [12, 8]


def test_a_batch_makes_room_for_other_requests(batcher: Batcher, asked: list[int]) -> None:
    """While somebody asks for single rows, and while there are two batches, a turn predicts no more than it should."""

    async def beside_singles() -> None:
        batch = asyncio.create_task(batcher.predict_many(np.array(ROWS * 2)))
        while not batch.done():
            await batcher.predict(ROWS[0])

    async def two_at_once() -> None:
        await asyncio.gather(*(batcher.predict_many(np.array(ROWS * 2)) for _ in range(2)))

    asyncio.run(beside_singles())
    assert [rows for rows in asked if rows > 1] == [12, 3, 3, 2]
    asked.clear()
    asyncio.run(two_at_once())
    assert asked == [12, 3, 3, 3, 3, 3, 2, 3, 8]


def test_a_batch_without_rows_has_no_answers(batcher: Batcher) -> None:
    """A client of MLflow may send a frame that is empty."""
    answers = asyncio.run(batcher.predict_many(np.empty((0, len(EXAMPLE)))))
    assert answers.one_by_one() == []
