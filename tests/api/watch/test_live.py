"""What is counted of the rows, and that it tells a population that has moved from one that has not."""

import numpy as np
import pytest

from api.model.drift import rows_needed
from api.model.model import Model
from api.store.manifest import PREDICTIONS
from api.watch.figures import figures
from api.watch.live import MINUTES, Live
from tests.api.watch.populations import SCHEMA, TOWNS, frame_of, loaded, published, rows_of

THRESHOLD = 0.2
"""Of the deployed alarm."""

ROWS_AN_HOUR = 600
NAMES = set(SCHEMA.names)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return loaded(published(tmp_path_factory.mktemp("watched") / "1"))


@pytest.fixture
def live(model: Model) -> Live:
    return Live(model, 128)


def ask(live: Live, rows: np.ndarray) -> None:
    """Have rows predicted, in batches of different sizes."""
    sizes = np.array([1, 2, 128, 7, 64])
    while len(rows):
        batch, rows = rows[: sizes[0]], rows[sizes[0] :]
        live.observe(batch, live.layout.model.predict(batch))
        sizes = np.roll(sizes, 1)


def pass_hour(live: Live, draw: np.random.Generator, **changes: float) -> dict[str, float]:
    """Ask an hour's rows of a population, minute by minute; returns the drift of that hour."""
    for frame in np.array_split(rows_of(frame_of(draw, ROWS_AN_HOUR, **changes)), MINUTES):
        ask(live, frame)
        live.end_minute()
    return live.layout.drift(live.hour())


def test_no_false_alarm_in_a_hundred_hours(live: Live) -> None:
    """A population that stays what it was never comes near the threshold, in any feature or in the predictions."""
    draw = np.random.default_rng(7)
    hours = [pass_hour(live, draw) for _ in range(100)]
    assert all(set(hour) == {*NAMES, PREDICTIONS} for hour in hours)
    assert max(max(hour.values()) for hour in hours) < THRESHOLD / 2


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({"larger": 1.5}, {"Größe"}),
        ({"northern": 0.7}, {"town"}),
        ({"larger": 0.6, "northern": 0.1}, {"Größe", "town"}),
    ],
)
def test_every_drifted_hour_is_told(live: Live, changes: dict[str, float], moved: set[str]) -> None:
    """Of a population that has moved every hour of a day is above the threshold, in the features that moved alone."""
    draw = np.random.default_rng(8)
    for _ in range(24):
        hour = pass_hour(live, draw, **changes)
        assert {name for name in NAMES if hour[name] > THRESHOLD} == moved


def test_an_hour_forgets(live: Live) -> None:
    """An hour after the world is as it was, nothing of the drift is left in the hour; since the start it is."""
    draw = np.random.default_rng(9)
    pass_hour(live, draw, larger=2.0)
    assert max(pass_hour(live, draw).values()) < THRESHOLD
    assert live.layout.drift(live.start())["Größe"] > THRESHOLD


def test_too_few_rows_have_no_drift(live: Live) -> None:
    """Below five hundred rows an index would be noise, and there is none; of values that are missing none are there."""
    draw = np.random.default_rng(10)
    ask(live, rows_of(frame_of(draw, rows_needed(10) - 1)))
    assert live.layout.drift(live.hour()) == {}
    ask(live, rows_of(frame_of(draw, 1)))
    assert set(live.layout.drift(live.hour())) == {*NAMES, PREDICTIONS} - {"Größe"}


def test_counts_what_is_odd(live: Live, model: Model) -> None:
    """Rows outside the training data, missing values and refused categories are counted by feature and together."""
    low, high = model.ranges["Größe"]
    rows = np.array([[50, 3, 1, 0], [high * 2, 3, 0, 1], [np.nan, 3, 0, 2], [low / 2, 1000, 0, 3]], np.float32)
    live.observe(rows, model.predict(rows))
    live.refuse("town")
    for status in (200, 200, 422, 404, 500):
        live.request(status, 0.001)
    found = figures(live.layout, live.hour())
    assert (found.requests, found.refused, found.failed, found.rows) == (5, 2, 1, 4)
    assert (found.extrapolated, found.missing, found.unknown_category) == (0.5, 0.25, 0.2)
    assert found.features["Größe"].extrapolated == 0.5
    assert found.features["Größe"].missing == 0.25
    assert found.features["rooms"].extrapolated == 0.25
    assert found.features["town"].unknown_category == 0.2
    assert found == figures(live.layout, live.start())


def test_counts_as_training_did(live: Live, model: Model) -> None:
    """The training rows themselves, as float32, fall into their own bins: values on an edge too."""
    ask(live, rows_of(frame_of(np.random.default_rng(1), 5000)))
    assert max(live.layout.drift(live.start()).values()) < 1e-3
    town = live.start()[live.layout.feature_bins][-len(TOWNS) :]
    assert model.distribution["town"].shares == pytest.approx(town / 5000)


def test_any_number_for_yes_and_no(live: Live, model: Model) -> None:
    """MLflow's clients may send numbers for yes and no that are neither; the counting bears it."""
    rows = np.array([[50, 3, -7, 0], [50, 3, 1e30, 1]], np.float32)
    live.observe(rows, model.predict(rows))
    assert live.hour()[live.layout.feature_bins][-len(TOWNS) - 2 : -len(TOWNS)].tolist() == [1, 1]


def test_memory_is_bounded(live: Live) -> None:
    """Two hours of a busy service keep an hour of counts, a few thousand values, and the rows that wait."""
    rows = rows_of(frame_of(np.random.default_rng(11), 128))
    predicted = live.layout.model.predict(rows)
    room = live.rows.shape
    for _ in range(2 * MINUTES):
        for _ in range(80):
            live.observe(rows, predicted)
            live.request(200, 0.001)
        minute = live.end_minute()
        assert len(minute.predictions.values) <= 4096
    assert live.rows.shape == room
    assert len(live.minutes) == MINUTES + 1
    assert live.hour()[live.layout.ROWS] == MINUTES * 80 * 128
