"""Puts the service together: model, batching, endpoints, documents, and the front that sees every request first."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator
from typing import Any

from litestar import Litestar, Request, Response, Router
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from api.answers.description import describe_row
from api.answers.explanations import Explanations
from api.answers.invocations import Invocations
from api.answers.openapi import KEY_SCHEMES, openapi_config
from api.answers.operations import OPERATIONS
from api.answers.pages import pages
from api.answers.predictions import Predictions
from api.answers.probes import describe_model, health, ping, ready, version
from api.http.front import Front, problem_reply
from api.http.journal import Journal
from api.http.keys import ApiKeys
from api.http.metrics import Metrics
from api.http.problems import ProblemError
from api.model.batching import Batcher
from api.model.model import Model
from api.model.readiness import Readiness
from api.settings import Settings

log = logging.getLogger(__name__)


def create_app(settings: Settings, model: Model, load_seconds: float = 0.0) -> Front:
    """The ASGI application that serves this model."""
    metrics = Metrics(model.version, load_seconds)
    batcher = Batcher(model, settings.max_waiting, metrics.batch)
    readiness = Readiness(batcher)
    predictions = Predictions(batcher, model.version, model.half_width)
    litestar = _litestar(settings, model, readiness)
    return Front(
        litestar,
        operations={
            "/predict": predictions.single,
            "/predict/batch": predictions.batch,
            "/explain": Explanations(predictions).single,
            "/invocations": Invocations(predictions).answer,
        },
        paths={route.path for route in litestar.routes},
        keys=ApiKeys(settings.keys),
        readiness=readiness,
        metrics=metrics,
        journal=Journal(sys.stdout.buffer),
        trusted_proxies=settings.trusted_proxies,
    )


def _litestar(settings: Settings, model: Model, readiness: Readiness) -> Litestar:
    @contextlib.asynccontextmanager
    async def watched(_: Litestar) -> AsyncIterator[None]:
        watch = asyncio.create_task(readiness.watch())
        yield
        watch.cancel()

    return Litestar(
        route_handlers=[
            Router(
                "/", route_handlers=OPERATIONS, security=[{name: []} for name in KEY_SCHEMES] if settings.keys else None
            ),
            *(health, ready, describe_model, ping, version),
            *((describe_row, *pages()) if settings.docs else ()),
        ],
        state=State({"model": model, "readiness": readiness}),
        lifespan=[watched],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
        openapi_config=openapi_config(with_keys=bool(settings.keys)) if settings.docs else None,
        logging_config=None,
    )


def _refuse(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    details = {
        404: "There is nothing at this path.",
        405: "This path does not answer this method.",
    }
    headers = [(name.encode(), value.encode()) for name, value in (error.headers or {}).items()]
    problem = ProblemError(error.status_code, details.get(error.status_code, error.detail), headers=headers)
    return _problem(request, problem)


def _fail(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    log.error("request %s failed", _request_id(request), exc_info=error)
    return _problem(request, ProblemError(500, "The service failed to answer."))


def _request_id(request: Request[Any, Any, Any]) -> str:
    return str(request.scope["state"].get("request_id", ""))


def _problem(request: Request[Any, Any, Any], problem: ProblemError) -> Response[bytes]:
    reply = problem_reply(problem, _request_id(request))
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, status_code=reply.status, media_type=reply.content_type.decode(), headers=headers)
