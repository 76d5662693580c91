"""The stack's own task definition, run as Fargate runs it."""

import contextlib
import http.client
import json
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xgboost

from stack.tasks.container import PORT
from tests.california import EXAMPLE, FEATURES
from tests.container import engine
from tests.container.conftest import RunTask
from tests.container.task import MEMORY_MIB

BODY = json.dumps(EXAMPLE)


def post(connection: http.client.HTTPConnection) -> tuple[float, bool]:
    """One prediction, and whether the server asked to close the connection."""
    connection.request("POST", "/predict", BODY, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    assert response.status == 200, answer
    return answer["median_house_value"], response.getheader("connection") == "close"


def connected() -> contextlib.closing[http.client.HTTPConnection]:
    """A connection to the running task."""
    return contextlib.closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=60))


def predicted() -> float:
    """One prediction of the running task."""
    with connected() as connection:
        return post(connection)[0]


def crowd(work: Callable[[], None], size: int = 16) -> list[BaseException]:
    """Run work in several threads; what went wrong in any."""
    wrong: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 (reported by the caller)
            wrong.append(error)

    threads = [threading.Thread(target=guarded) for _ in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong


def xgboosts(folder: Path, trees: int | None = None) -> float:
    """What XGBoost predicts for the example with the published file."""
    booster = xgboost.Booster(model_file=folder / "model.ubj")
    row = xgboost.DMatrix(np.array([list(EXAMPLE.values())]), feature_names=list(FEATURES))
    return float((booster[:trees] if trees else booster).predict(row)[0])


def test_the_task_predicts_under_load_and_leaves_without_dropping_a_request(
    healthy_task: engine.Container, model_directory: Path
) -> None:
    """At 0.25 vCPU and 512 MB it answers thousands of requests exactly, stays small, and drains on SIGTERM."""
    expected = xgboosts(model_directory)

    def some() -> None:
        with connected() as connection:
            for _ in range(200):
                assert post(connection)[0] == expected

    assert crowd(some) == []
    assert healthy_task.memory_mib() < MEMORY_MIB / 3

    def until_told_to_close() -> None:
        with connected() as connection:
            while not post(connection)[1]:
                pass

    stopping = threading.Thread(target=engine.docker, args=("stop", healthy_task.id))
    stopping.start()
    assert crowd(until_told_to_close) == []
    stopping.join()
    state = healthy_task.state()
    assert (state["ExitCode"], state["OOMKilled"]) == (0, False)


def test_another_model_is_one_variable(run_task: RunTask, other_path: str, model_directory: Path) -> None:
    """With nothing but MODEL_PATH changed the same image serves the other model."""
    with run_task(path=other_path) as container:
        assert container.wait(60)["Running"], container.logs()
        assert predicted() == xgboosts(model_directory, trees=100) != xgboosts(model_directory)
