"""Who may call: API keys, several at a time, for everything but the probes."""

import json

import pytest

from tests.api.conftest import NEW_KEY, OLD_KEY
from tests.api.wire import Wire
from tests.running import Service

PREDICTIONS = ["/predict", "/predict/batch", "/explain", "/invocations"]


@pytest.mark.parametrize("key", [OLD_KEY, NEW_KEY])
@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_every_key_lets_in(guarded: Service, example: dict[str, float], header: str, key: str) -> None:
    """Each of the keys is accepted in either header, so that keys can be changed one caller after the other."""
    value = f"Bearer {key}" if header == "Authorization" else key
    with guarded.client() as client:
        assert client.post("/predict", json=example, headers={header: value}).status_code == 200


NO_KEYS = [
    {},
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": OLD_KEY},
    {"Authorization": f"Basic {OLD_KEY}"},
    {"X-API-Key": ""},
]


@pytest.mark.parametrize(
    "headers",
    [
        *NO_KEYS,
        {"Authorization": f"Bearer {OLD_KEY[:-1]}"},
        {"Authorization": f"Bearer {OLD_KEY}x"},
        {"Authorization": f"Bearer {OLD_KEY.upper()}"},
        {"Authorization": f"Bearer {OLD_KEY}, {NEW_KEY}"},
        {"X-API-Key": f"Bearer {OLD_KEY}"},
        {"X-API-Key": "x" * 10_000},
    ],
)
def test_everything_else_is_kept_out(guarded: Service, example: dict[str, float], headers: dict[str, str]) -> None:
    """Without a key, or with one that is only nearly right, the answer is 401 and a problem document."""
    with guarded.client() as client:
        response = client.post("/predict", json=example, headers=headers)
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["title"] == "Unauthorized"
    # Whoever sent a key need not be told to send one.
    assert ("is required" in response.json()["detail"]) == (headers in NO_KEYS)


@pytest.mark.parametrize("path", PREDICTIONS)
def test_every_prediction_needs_a_key(guarded: Service, path: str) -> None:
    """No endpoint that predicts is left open, and a body is not looked at before the key."""
    with guarded.client() as client:
        assert client.post(path, content=b"{").status_code == 401


def test_key_comes_with_the_head(guarded: Service, example: dict[str, float]) -> None:
    """What follows a body in chunks is no header: a key there opens nothing."""
    body = json.dumps(example).encode()
    head = b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    with Wire(guarded.url) as wire:
        # The whole request at once: the key is there when the check comes.
        wire.send(head + b"%x\r\n%b\r\n0\r\nX-API-Key: %b\r\n\r\n" % (len(body), body, NEW_KEY.encode()))
        assert wire.answer().status == 401


@pytest.mark.parametrize("path", ["/health", "/ready"])
def test_probes_need_none(guarded: Service, path: str) -> None:
    """The load balancer and the container have no keys."""
    with guarded.client() as client:
        assert client.get(path).status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/docs/openapi.json", "/"])
def test_documents_are_off(guarded: Service, path: str) -> None:
    """With DOCS=false there are no documents, as if there never had been."""
    with guarded.client() as client:
        assert client.get(path).status_code == 404


def test_keys_are_never_logged(guarded: Service, example: dict[str, float]) -> None:
    """Neither a right key nor a wrong one reaches the log, wherever it was sent."""
    with guarded.client() as client:
        client.post("/predict", json=example, headers={"X-API-Key": NEW_KEY})
        client.post("/predict", json=example, headers={"X-API-Key": f"{NEW_KEY}-typo"})
        client.post(f"/predict?key={NEW_KEY}", json=example)
    guarded.lines_until_now()
    assert NEW_KEY not in guarded.log.read_text()
    assert OLD_KEY not in guarded.log.read_text()
