"""What a real service says of what it was asked: in `GET /model`, and to Prometheus the same."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.watch.populations import SCHEMA, bodies, frame_of, in_each_protocol, published
from tests.running import Service, free_port, start_service

ATLANTIS = {"Größe": 50.0, "rooms": 3, "new": True, "town": "Atlantis"}
"""A row of a category that the model has not."""


@pytest.fixture(scope="module")
def metrics_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, metrics_port: int) -> Iterator[Service]:
    home = tmp_path_factory.mktemp("watched")
    service = start_service(home / "service.log", MODEL_PATH=str(published(home / "1")), METRICS_PORT=str(metrics_port))
    assert service.url, service.log.read_text()
    yield service
    service.process.kill()
    service.process.wait(10)


def live(service: Service) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{service.url}/model").raise_for_status().json()["live"]
    return found


def test_drift_is_told(watched: Service, metrics_port: int) -> None:
    """Of a population that has moved in one feature, both say so, with the same figures; probes change nothing."""
    rows = list(bodies(frame_of(np.random.default_rng(1), 2000, northern=0.8)))
    with watched.client() as client:
        client.post("/predict/batch", json={"rows": rows}).raise_for_status()
        before = live(watched)
        for _ in range(20):
            client.get("/ready").raise_for_status()
        found = live(watched)
    hour = found["last_hour"]
    assert hour["rows"] == before["last_hour"]["rows"] >= 2000
    drift = {name: each["drift"] for name, each in hour["features"].items()}
    assert [name for name, index in drift.items() if index > 0.2] == ["town"]
    families = text_string_to_metric_families(httpx.get(f"http://127.0.0.1:{metrics_port}/metrics").text)
    samples = {(each.name, each.labels.get("feature")): each.value for family in families for each in family.samples}
    assert {name: samples["feature_drift", name] for name in SCHEMA.names} == pytest.approx(drift)
    assert samples["prediction_drift", None] == pytest.approx(hour["prediction_drift"])
    assert samples["feature_missing_total", "Größe"] == sum(row["Größe"] is None for row in rows)
    assert samples["log_lines_left_out_total", None] == 0


@pytest.mark.parametrize(("path", "body"), [("/predict", ATLANTIS), *in_each_protocol([ATLANTIS]).items()])
def test_unknown_categories_are_counted(watched: Service, path: str, body: Any) -> None:
    """Whatever the protocol, a category that the model has not is refused and counted for its feature."""
    before = live(watched)["since_start"]
    assert httpx.post(watched.url + path, json=body).status_code in (400, 422)
    after = live(watched)["since_start"]
    assert after["refused"] == before["refused"] + 1
    assert after["rows"] == before["rows"]
    assert after["features"]["town"]["unknown_category"] > before["features"]["town"]["unknown_category"]
    assert after["unknown_category"] == after["features"]["town"]["unknown_category"]


def test_a_wrong_type_is_no_unknown_category(watched: Service) -> None:
    """A number where a category should be is a mistake of the caller's program, not news of the world."""
    before = live(watched)["since_start"]["unknown_category"]
    assert httpx.post(f"{watched.url}/predict", json={**ATLANTIS, "town": 7}).status_code == 422
    assert live(watched)["since_start"]["unknown_category"] == before


def test_a_long_run_does_not_grow(watched: Service) -> None:
    """After it has warmed up, a hundred thousand rows leave the process as large as it was."""

    def resident() -> int:
        size = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{watched.process.pid}/status").read_text())
        assert size
        return int(size[1]) * 1024

    content = {"rows": list(bodies(frame_of(np.random.default_rng(2), 5000)))}
    with watched.client() as client:
        for _ in range(5):
            client.post("/predict/batch", json=content).raise_for_status()
        warm = resident()
        for _ in range(20):
            client.post("/predict/batch", json=content).raise_for_status()
        assert resident() < warm + 4 * 2**20
