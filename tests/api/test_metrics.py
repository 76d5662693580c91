"""Prometheus metrics, on a port that the load balancer does not expose."""

import re
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.api.conftest import NEW_KEY
from tests.running import Service


@pytest.fixture
def metrics_url(guarded: Service) -> str:
    """Where the service gives its metrics."""
    port = re.search(r"METRICS_PORT=(\d+)", Path(f"/proc/{guarded.process.pid}/environ").read_text())
    assert port
    return f"http://127.0.0.1:{port[1]}/metrics"


def scrape(url: str) -> dict[tuple[str, ...], float]:
    """Every sample by its name and its labels' values, the labels in alphabetical order."""
    families = text_string_to_metric_families(httpx.get(url).raise_for_status().text)
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def test_counts_requests_batches_and_predictions(guarded: Service, metrics_url: str, example: dict[str, float]) -> None:
    """A batch of three rows is one more request, one more batch, and three more predictions."""
    before = scrape(metrics_url)
    with guarded.client(headers={"X-API-Key": NEW_KEY}) as client:
        client.post("/predict/batch", json={"rows": [example] * 3}).raise_for_status()
        # What is counted is there before the next request is answered.
        client.get("/health")
    after = scrape(metrics_url)
    for name, more in {
        ("http_requests_total", "POST", "/predict/batch", "200"): 1,
        ("http_request_duration_seconds_count", "POST", "/predict/batch", "200"): 1,
        ("http_request_duration_seconds_bucket", "+Inf", "POST", "/predict/batch", "200"): 1,
        ("predict_batch_rows_count",): 1,
        ("predict_batch_rows_sum",): 3,
        ("predict_batch_rows_bucket", "4"): 1,
        ("predicted_value_count",): 3,
    }.items():
        assert after[name] - before.get(name, 0) == more, name
    assert after["predict_batch_rows_bucket", "2"] == before["predict_batch_rows_bucket", "2"]


def test_names_the_model_and_the_process(metrics_url: str) -> None:
    """The model's version, the time that it took to load, and the memory and files of the process are there."""
    samples = scrape(metrics_url)
    assert samples["model_info", "1"] == 1
    assert samples["model_load_seconds",] > 0
    assert samples["process_resident_memory_bytes",] > 2**20
    assert samples["process_open_fds",] > 3


def test_labels_cannot_be_made_up(guarded: Service, metrics_url: str) -> None:
    """Paths and methods that clients invent share one label, or they would fill the memory of whoever scrapes."""
    scrape(metrics_url)
    with guarded.client() as client:
        for i in range(20):
            client.get(f"/invented/{i}")
        for method in ("PROPFIND", "PUT", "DELETE", "PATCH", "TRACE", "MKCOL", "SOURCE", "QUERY"):
            client.request(method, "/invented")
            client.request(method, "/predict")
            client.request(method, "/health")
        client.get("/health")
    paths = {sample[2] for sample in scrape(metrics_url) if sample[0] == "http_requests_total"}
    assert "other" in paths
    assert not [path for path in paths if "invented" in path]
    methods = {sample[1] for sample in scrape(metrics_url) if sample[0] == "http_requests_total"}
    assert methods <= {"GET", "HEAD", "POST", "OPTIONS", "other"}
    assert "other" in methods


def test_are_not_on_the_service_port(guarded: Service) -> None:
    """The port that the load balancer knows has no metrics."""
    with guarded.client(headers={"X-API-Key": NEW_KEY}) as client:
        assert client.get("/metrics").status_code == 404
