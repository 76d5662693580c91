"""The bill: its tables are in the documents, and its bytes are the service's."""

import gzip
import json
import re
import socket
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

import pytest

from api.http.journal import RequestLine, as_json, timestamp
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
    errors, everything = used(INTERNAL, 10_000, "errors"), used(INTERNAL, 10_000, "all")
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


def test_lines_are_kept_as_small_as_the_bill_says() -> None:
    """Many of the service's and of the load balancer's, each with an id, a caller and times of its own, gzipped."""
    random, count = Random(1), 20_000

    def digits(length: int) -> str:
        return f"{random.getrandbits(4 * length):0{length}x}"

    ours, balancers = bytearray(), bytearray()
    for number in range(count):
        moment = timestamp(1.8e9 + number / 1000)
        identity, client = f"Root=1-{digits(8)}-{digits(24)}", f"203.0.113.{random.randrange(20)}"
        duration = random.randrange(300, 999) / 1000
        ours += as_json(RequestLine(moment, "INFO", identity, client, "POST", "/predict", 200, duration, "1"))
        balancers += (
            f"https {moment} app/housing-prod-1a2b3c4/50dc6c495c0c9188 {client}:{random.randrange(1024, 65536)} "
            f"10.0.64.{random.randrange(2, 8)}:8000 0.000 0.00{random.randrange(1, 4)} 0.000 200 200 304 384 "
            '"POST https://api.example.com:443/predict HTTP/1.1" "curl/8.5.0" TLS_AES_128_GCM_SHA256 TLSv1.3 '
            "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/housing-prod-1a2b3c4/73e2d6bc24d8a067 "
            f'"{identity}" "api.example.com" "arn:aws:acm:us-east-1:123456789012:certificate/0b1c" 0 {moment} '
            f'"waf,forward" "-" "-" "10.0.64.2:8000" "200" "-" "-" TID_{digits(32)}\n'
        ).encode()
    assert len(ours) / count == pytest.approx(traffic.LINE_BYTES, abs=2)
    assert len(gzip.compress(ours, 6)) / count == pytest.approx(traffic.KEPT_LINE_BYTES, rel=0.1)
    assert len(gzip.compress(balancers, 6)) / count == pytest.approx(traffic.ACCESS_LINE_BYTES, rel=0.1)
