"""Asks a running service for a house value whose true value is known."""

import http.client
import json
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from api.model.schema import FEATURES, TARGET
from training.errors import TrainingError
from training.tables.data import load
from training.tables.splitting import split


class Sample(NamedTuple):
    """One held-out block group: what was sent, what the service answered, and the truth."""

    features: dict[str, float]
    predicted: float
    true: float
    model_version: str


def ask(url: str, patience: float = 60.0) -> Sample:
    """Send the first held-out row to `POST /predict`, waiting up to `patience` seconds for the service.

    Raises:
        TrainingError: the service does not answer, or refuses.
    """
    row = split(load().table).test.iloc[0]
    features = {name: float(row[name]) for name in FEATURES}
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=10)
    _wait(connection, url, patience)
    connection.request("POST", "/predict", json.dumps(features), {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != http.client.OK:
        raise TrainingError(f"{url} refused the sample: {answer.get('detail', answer)}")
    return Sample(features, answer["median_house_value"], float(row[TARGET]), answer["model_version"])


def _wait(connection: http.client.HTTPConnection, url: str, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            connection.request("GET", "/ready")
            connection.getresponse().read()
        except OSError as error:
            connection.close()
            if time.monotonic() > deadline:
                raise TrainingError(f"{url} does not answer ({error}). Is the service running? `make serve`") from error
            time.sleep(0.2)
        else:
            return
