"""Once a minute the figures are lines that CloudWatch turns into metrics, by its own rules."""

import json
import re
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import numpy as np
import pytest

from api.model.model import Model
from api.watch.embedded import LONGEST_NAME, Embedded, ascii_name
from api.watch.live import Live
from tests.api.tables import ODD_NAMES, publish_table
from tests.api.watch.populations import SCHEMA, bodies, frame_of, loaded, published, rows_of
from tests.running import Serve, Service

FORMAT = jsonschema_rs.validator_for(
    json.loads(Path(__file__).with_name("embedded_metric_format.json").read_text()), validate_formats=True
)
MOST_BYTES = 256 * 1024
"""Of an event that the awslogs driver does not split."""

ALWAYS = {"Requests", "RefusedRequests", "FailedRequests", "LogLinesLeftOut"}
QUICK = (
    "import sys; from api.watch import minutes; minutes.SECONDS = 2; from api.__main__ import main; sys.exit(main())"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return published(tmp_path_factory.mktemp("watched") / "1")


@pytest.fixture
def live(folder: Path) -> Live:
    return Live(loaded(folder), 128)


def checked(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    """The lines, decoded, each of which CloudWatch must take."""
    found = []
    for line in lines:
        assert line.find(b"\n") == len(line) - 1
        assert len(line) < MOST_BYTES
        document = json.loads(line)
        FORMAT.validate(document)
        for directive in document["_aws"]["CloudWatchMetrics"]:
            named = [name for names in directive["Dimensions"] for name in names]
            assert all(isinstance(document[name], str) for name in named)
            assert all(isinstance(document[metric["Name"]], int | float | list) for metric in directive["Metrics"])
        found.append(document)
    return found


def metrics(document: dict[str, Any]) -> dict[str, Any]:
    """The values of a document's metrics by their names."""
    (directive,) = document["_aws"]["CloudWatchMetrics"]
    return {metric["Name"]: document[metric["Name"]] for metric in directive["Metrics"]}


def minute_of(live: Live, service: str = "houses", features: int = 20) -> list[dict[str, Any]]:
    """The lines of the minute that runs, which ends."""
    minute = live.end_minute()
    return checked(Embedded(live.layout, service, features).lines(time.time(), minute, live.hour()))


def ask(live: Live, rows: np.ndarray) -> None:
    for batch in np.array_split(rows, range(100, len(rows), 100)):
        live.observe(batch, live.layout.model.predict(batch))


def test_a_minute_of_the_model(live: Live) -> None:
    """Requests by outcome, distributions of at most a hundred values, shares, and the drift of the hour."""
    ask(live, rows_of(frame_of(np.random.default_rng(1), 1000, larger=2)))
    for n in range(1000):
        live.request(422 if n % 10 == 0 else 200, n / 1e6)
    live.request(500, 0.1)
    live.refuse("town")
    first, *_ = minute_of(live)
    found = metrics(first)
    assert first["Service"] == "houses"
    assert first["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "ModelServing"
    assert first["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Service"]]
    assert (found["Requests"], found["RefusedRequests"], found["FailedRequests"]) == (1001, 100, 1)
    assert len(found["Latency"]) == len(found["Prediction"]) == 100
    assert (found["Latency"][0], found["Latency"][-1]) == (0, 100)
    assert found["Latency"][50] == pytest.approx(0.5, abs=0.01)
    assert found["BatchRows"] == [100] * 10
    assert found["UnknownCategoryShare"] == pytest.approx(1 / 1001, rel=1e-3)
    assert found["FeatureDrift"] == max(first["MostDrifted"].values()) > 0.2
    assert next(iter(first["MostDrifted"])) == "Größe"
    assert set(found) == ALWAYS | {
        *("Latency", "BatchRows", "Prediction", "PredictionDrift", "FeatureDrift"),
        *("ExtrapolatedShare", "MissingShare", "UnknownCategoryShare"),
    }


def test_a_minute_of_each_feature(live: Live) -> None:
    """A feature has a line of its own, with those of three metrics that it can have at all."""
    ask(live, rows_of(frame_of(np.random.default_rng(2), 1000)))
    _, *features = minute_of(live)
    assert {each["Feature"]: set(metrics(each)) for each in features} == {
        "Gr\\xf6\\xdfe": {"FeatureDrift", "ExtrapolatedShare", "MissingShare"},
        "rooms": {"FeatureDrift", "ExtrapolatedShare"},
        "new": {"FeatureDrift"},
        "town": {"FeatureDrift", "UnknownCategoryShare"},
    }
    assert all(each["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["Service", "Feature"]] for each in features)


def test_a_minute_without_a_request(live: Live) -> None:
    """Zero requests are told, so that an alarm has something to go by; what has no value is left out, never NaN."""
    (only,) = minute_of(live)
    assert metrics(only) == dict.fromkeys(ALWAYS, 0)


def test_too_few_rows_have_no_drift(live: Live) -> None:
    """A minute with rows in an hour with few has shares and no drift."""
    ask(live, rows_of(frame_of(np.random.default_rng(3), 100)))
    first, *_ = minute_of(live)
    assert "MissingShare" in metrics(first)
    assert not {"FeatureDrift", "PredictionDrift"} & set(metrics(first))


@pytest.mark.parametrize("name", ["claims", "churn", "species", "odd", "wide"])
def test_tables_of_every_kind(name: str, tmp_path: Path) -> None:
    """Whatever the table and its names are, and without a distribution too, CloudWatch takes the lines."""
    table = publish_table(name, tmp_path / "1")
    live = Live(loaded(table.folder), 128)
    rows = np.array(
        [[np.nan if each is None else float(each) for each in row] for row in _coded(table.frame)], np.float32
    )
    ask(live, rows)
    first, *others = minute_of(live, service="Häuser: ✓", features=1000)
    assert first["Service"] == "H\\xe4user: \\u2713"
    labels = [each for each in others if "Label" in each]
    if table.schema.target.kind == "category":
        assert sum(each["LabelShare"] for each in labels) == pytest.approx(1)
        assert "Prediction" not in metrics(first)
    else:
        assert not labels
        assert len(metrics(first)["Prediction"]) == 60
    assert sum(len(metrics(each)) for each in others) <= 3 * len(table.schema.names) + len(labels)


def _coded(frame: Any) -> Any:
    coded = frame.apply(lambda column: column.cat.codes.where(column.notna()) if column.dtype == "category" else column)
    return coded.astype(object).where(coded.notna(), None).to_numpy()


def test_features_are_bounded(live: Live) -> None:
    """The setting bounds what the metrics cost: with none only the model's line is there, and it has them all in it."""
    ask(live, rows_of(frame_of(np.random.default_rng(4), 1000)))
    (only,) = minute_of(live, features=0)
    assert set(only["MostDrifted"]) == set(SCHEMA.names)


@pytest.mark.parametrize("name", [*ODD_NAMES, ":", "::a", "  ", "\u0085", "x" * 300, "日本" * 200, "\x00"])
def test_names_of_dimensions(name: str) -> None:
    """Any name becomes one that CloudWatch takes."""
    found = ascii_name(name)
    assert re.fullmatch("(?!:)(?=.*[!-~])[ -~]+", found)
    assert len(found) <= LONGEST_NAME
    if re.fullmatch(r"[!-9;-\[\]-~]{1,255}", name):
        assert found == name


def test_names_stay_different() -> None:
    """No two names become one, long ones with the same beginning included."""
    names = [*ODD_NAMES, "Größe", "Gr\\xf6\\xdfe", ":", "\\x3a", " ", "\\x20", "y" * 300, "y" * 301]
    assert len({ascii_name(name) for name in names}) == len(set(names))


def documents(service: Service) -> list[dict[str, Any]]:
    return checked(line for line in service.log.read_bytes().splitlines(keepends=True) if b'"_aws"' in line)


@pytest.fixture
def quick(serve: Serve, folder: Path) -> Service:
    """A service whose minutes are two seconds long."""
    service = serve(
        arguments=("-c", QUICK), MODEL_PATH=str(folder), MODEL_METRICS="features", MODEL_METRICS_FEATURES="1"
    )
    assert service.url, service.log.read_text()
    return service


def test_a_real_service_writes_each_minute_and_the_last(quick: Service) -> None:
    """Minutes follow one another without being asked, and SIGTERM writes what the last one had; sums are complete."""
    sent = list(bodies(frame_of(np.random.default_rng(5), 40)))
    with quick.client() as client:
        for body in sent[:20]:
            client.post("/predict", json=body).raise_for_status()
        deadline = time.monotonic() + 30
        while sum(each.get("Requests", 0) for each in documents(quick)) < 20 and time.monotonic() < deadline:
            time.sleep(0.05)
        client.post("/predict/batch", json={"rows": sent[20:]}).raise_for_status()
        assert client.post("/predict", json={}).status_code == 422
        for _ in range(5):
            httpx.get(f"{quick.url}/ready").raise_for_status()
    assert quick.stop() == 0
    found = documents(quick)
    models = [each for each in found if "Feature" not in each]
    assert sum(each["Requests"] for each in models) == 22
    assert sum(each["RefusedRequests"] for each in models) == 1
    # The probe's own predictions are none of the world's.
    assert sum(sum(each.get("BatchRows", [])) for each in models) == 40
    assert {each["Feature"] for each in found if "Feature" in each} == {"Gr\\xf6\\xdfe"}
    assert {each["Service"] for each in found} == {"watched"}
    starts = [each["_aws"]["Timestamp"] for each in models]
    assert len(starts) > 1
    assert starts == sorted(set(starts))


def test_none_are_written_by_default(serve: Serve, folder: Path) -> None:
    """A service on one's own machine says nothing of the kind, also at its end."""
    service = serve(MODEL_PATH=str(folder))
    assert service.stop() == 0
    assert not documents(service)


def test_a_model_without_a_distribution(folder: Path) -> None:
    """A model that says nothing of its training rows has everything but drift."""
    model: Model = replace(loaded(folder), distribution={}, ranges={})
    live = Live(model, 128)
    ask(live, rows_of(frame_of(np.random.default_rng(6), 1000)))
    first, *features = minute_of(live)
    assert "FeatureDrift" not in metrics(first)
    assert metrics(first)["ExtrapolatedShare"] == 0
    assert {each["Feature"] for each in features} == {"Gr\\xf6\\xdfe", "rooms", "town"}
