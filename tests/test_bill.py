"""The bill: its tables are in the documents, and its bytes are the service's."""

import json
import re
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.bill import prices, traffic
from benchmarks.bill.deployments import DEPLOYMENTS, Deployment
from benchmarks.bill.million import MILLION, million, used
from benchmarks.bill.rest import standing
from benchmarks.bill.tables import TABLES, written
from tests.running import ROOT, Serve

_, PROD, INTERNAL = DEPLOYMENTS
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("document", TABLES)
def test_the_documents_have_the_tables(document: str) -> None:
    """Of a million predictions and of a month at rest in README, the prices and capacity units in docs/costs.md."""
    text = (ROOT / document).read_text()
    assert all(text.count(f"<!-- {name}: ") == 1 for name in TABLES[document])
    assert text == written(document, text), "run python -m benchmarks.bill"


def test_a_million_is_what_it_is_by_hand() -> None:
    """Every line of prod at 1,000 requests a second is what docs/costs.md reckons step by step."""
    page = (ROOT / "docs" / "costs.md").read_text().partition("## By hand")[2].partition("## Prices")[0]
    by_hand = [float(figure) for figure in re.findall(r"\| \**(\d\.\d{4})\** \|$", page, re.MULTILINE)]
    bill = million(PROD, 1_000)
    assert by_hand[:-1] == [round(dollars, 4) for dollars in bill.values()]
    assert by_hand[-1] == pytest.approx(sum(bill.values()), abs=5e-4)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment.name)
def test_a_million_contains_its_share_of_the_month_at_rest(deployment: Deployment) -> None:
    """At a rate that the fewest tasks take, a month's millions cost the month at rest and what they use."""
    rate = 100
    millions = rate * 3600 * prices.HOURS / MILLION
    rest = sum(item.monthly for item in standing(deployment, deployment.tasks(0)))
    uses = sum(used(deployment, rate, "errors").values())
    assert sum(million(deployment, rate).values()) * millions == pytest.approx(rest + uses * millions)


def test_scaling_makes_the_tasks() -> None:
    """As many as the load needs at the target, and never fewer than the minimum."""
    of_one = PROD.config.requests_per_task / 60
    assert [PROD.tasks(rate) for rate in (0, of_one, 2 * of_one, 2 * of_one + 1, 6 * of_one)] == [2, 2, 2, 3, 6]


def test_capacity_units_are_the_largest_of_four() -> None:
    """Bytes where callers keep their connections, new connections where they do not."""
    kept = traffic.capacity_units(1_000)
    assert kept.billed == kept.bytes == 1_000 * 3_600 * 688 / 2**30
    assert traffic.capacity_units(1_000, requests_per_connection=1).billed == 1_000 / 25


def test_data_out_has_tiers() -> None:
    """Ten TB are billed at one price, what goes beyond at the next."""
    assert prices.data_out(10 * 1024) == pytest.approx(921.60)
    assert prices.data_out(15 * 1024) == pytest.approx(921.60 + 435.20)


def test_logging_all_costs_a_hundred_times_the_sample() -> None:
    """Of lines written, kept and sent through an endpoint."""
    errors, everything = (used(INTERNAL, 10_000, which) for which in ("errors", "all"))
    for row in ("Log lines: written", "Log lines: kept", "NAT gateways or endpoints: data"):
        assert everything[row] == pytest.approx(100 * errors[row])


def test_the_bytes_are_those_of_the_service(serve: Serve, model_directory: Path) -> None:
    """README's request by curl, its answer and its line in the log, but for a few digits of their numbers."""
    service = serve(MODEL_PATH=str(model_directory), TRUSTED_PROXIES="1")
    (body,) = re.findall(r"/predict -H 'Content-Type: application/json' -d '(\{.*?\})'", README, re.DOTALL)
    request = (
        "POST /predict HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )
    added = "X-Forwarded-For: 203.0.113.77\r\nX-Amzn-Trace-Id: Root=1-67891234-abcdef012345678912345678\r\n"
    address = urlsplit(service.url)
    with socket.create_connection((address.hostname, address.port), timeout=30) as connection:
        connection.sendall(request.replace("\r\n\r\n", f"\r\n{added}\r\n", 1).encode())
        answer = b""
        while not answer.endswith(b"}"):
            answer += connection.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 200 ")
    (line,) = [line for line in service.lines_until_now() if line.get("path") == "/predict"]
    assert len(request) == traffic.REQUEST_BYTES
    assert len(answer) == pytest.approx(traffic.RESPONSE_BYTES, abs=12)
    assert len(json.dumps(line, separators=(",", ":"))) == pytest.approx(traffic.LINE_BYTES, abs=12)
