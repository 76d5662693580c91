"""More requests than the service may keep waiting: the rest is told at once to come back later."""

import json
import signal
from contextlib import ExitStack
from pathlib import Path

from tests.api.wire import Wire, request
from tests.california import EXAMPLE
from tests.running import Serve

CALLERS = 60
WAITING = 8
GOOD = request(json.dumps(EXAMPLE).encode())


def test_beyond_the_limit_is_refused_at_once_and_the_rest_answered(serve: Serve, model_directory: Path) -> None:
    """Of sixty requests that arrive in one moment eight are answered, the others get 503 and Retry-After."""
    service = serve(MODEL_PATH=str(model_directory), MAX_WAITING=str(WAITING))
    with ExitStack() as stack:
        callers = [stack.enter_context(Wire(service.url)) for _ in range(CALLERS)]
        probe = stack.enter_context(Wire(service.url))
        for wire in (*callers, probe):
            assert wire.send(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").answer().status == 200
        # Standing still, the process finds them all at once.
        service.process.send_signal(signal.SIGSTOP)
        for wire in callers:
            wire.send(GOOD)
        probe.send(b"GET /ready HTTP/1.1\r\nHost: x\r\n\r\n")
        service.process.send_signal(signal.SIGCONT)
        answers = [wire.answer() for wire in callers]
        accepted = [answer for answer in answers if answer.status == 200]
        refused = [answer for answer in answers if answer.status == 503]
        assert len(accepted) + len(refused) == CALLERS
        # The probe's own row may be one of those that wait.
        assert WAITING - 1 <= len(accepted) < CALLERS
        assert {answer.body for answer in accepted} == {accepted[0].body}
        for answer in refused:
            assert answer.headers["retry-after"] == "1"
            assert answer.headers["content-type"] == "application/problem+json"
            assert answer.json()["title"] == "Service Unavailable"
        # A busy service is a ready one.
        assert "too many" not in probe.answer().json().get("reason", "")
        # And all of them are served in the next moment, on the same connections.
        assert [wire.send(GOOD).answer().status for wire in callers] == [200] * CALLERS
    levels = {line["level"] for line in service.lines_until_now()}
    assert levels == {"INFO", "WARNING"}


def test_batches_beyond_the_limit_are_refused(serve: Serve, model_directory: Path) -> None:
    """Batches share a limit of rows in progress: what is over it gets 503, what was accepted is answered whole."""
    service = serve(MODEL_PATH=str(model_directory))
    batch = request(json.dumps({"rows": [EXAMPLE] * 10_000}).encode(), path="/predict/batch")
    with ExitStack() as stack:
        callers = [stack.enter_context(Wire(service.url)) for _ in range(12)]
        for wire in callers:
            wire.send(batch[:-1])
        for wire in callers:
            wire.send(batch[-1:])
        answers = [wire.answer() for wire in callers]
    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert all(len(answer.json()["predictions"]) == 10_000 for answer in answers if answer.status == 200)
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status == 503)
