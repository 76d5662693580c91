"""Puts the service together: model, batching, endpoints, documents, and the front that sees every request first."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
from litestar import Litestar, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from api.answers.bodies import make_bodies
from api.answers.endpoint import Endpoint
from api.answers.example import example_answer, example_row
from api.answers.explanations import Explanations
from api.answers.invocations import Invocations
from api.answers.openapi import openapi_config, row_schema
from api.answers.pages import pages
from api.answers.predictions import Predictions
from api.answers.probes import describe_model, health, ping, ready, version
from api.answers.probes import row_schema as tell_row_schema
from api.answers.table import table_document
from api.answers.v2.inference import Inference
from api.answers.v2.messages import InferenceError
from api.answers.v2.metadata import metadata
from api.http.front import Front, problem_reply
from api.http.journal import Journal
from api.http.keys import ApiKeys
from api.http.messages import JSON
from api.http.metrics import Metrics
from api.http.output import Output
from api.http.problems import ProblemError
from api.http.selection import Selection
from api.model.batching import Batcher
from api.model.model import Model
from api.model.readiness import Readiness
from api.rows.reader import RowReader
from api.settings import Settings
from api.watch.watch import Watch

log = logging.getLogger(__name__)


def create_app(settings: Settings, model: Model, load_seconds: float, output: Output) -> Front:
    """The ASGI application that serves this model and writes its log there."""
    watch = Watch(settings, model, output.write)
    batcher = Batcher(model, settings.max_waiting, watch.live.observe)
    reader = RowReader(model.schema, watch.live.refuse)
    row = example_row(model, reader)
    readiness = Readiness(batcher, row)
    bodies = make_bodies(model.schema, example_answer(model, row), linked=model.trees.objective.linked)
    predictions = Predictions(batcher, reader, bodies, watch.capture)
    inference = Inference(predictions)
    endpoints = (
        *predictions.endpoints(),
        Explanations(predictions).endpoint(),
        Invocations(predictions).endpoint(),
        *inference.endpoints(),
    )
    litestar = _litestar(settings, model, readiness, watch, inference, endpoints)
    return Front(
        litestar,
        operations={endpoint.path: endpoint.answer for endpoint in endpoints},
        direct={endpoint.path: endpoint.direct for endpoint in endpoints if endpoint.direct},
        paths={route.path for route in litestar.routes},
        keys=ApiKeys(settings.keys),
        readiness=readiness,
        metrics=Metrics(model, load_seconds, output, watch),
        journal=Journal(output.write, settings.log_format),
        live=watch.live,
        selection=Selection(everything=settings.log_requests == "all"),
        trusted_proxies=settings.trusted_proxies,
    )


def _litestar(
    settings: Settings,
    model: Model,
    readiness: Readiness,
    watch: Watch,
    inference: Inference,
    endpoints: Sequence[Endpoint],
) -> Litestar:
    @contextlib.asynccontextmanager
    async def watched(_: Litestar) -> AsyncIterator[None]:
        stalls = asyncio.create_task(readiness.watch())
        async with watch.running():
            yield
        stalls.cancel()

    features = inference.predictions.reader.features
    documents = openapi_config(model, endpoints, watch.live, with_keys=bool(settings.keys)) if settings.docs else None
    return Litestar(
        route_handlers=[
            *(health, ready, describe_model, tell_row_schema, ping, version),
            *metadata(inference),
            *(pages(table_document(model)) if settings.docs else ()),
        ],
        state=State(
            {
                "model": model,
                # Where people look, not where anybody may learn how much is asked.
                "live": watch.live if settings.docs else None,
                "readiness": readiness,
                "row_schema": row_schema(model.schema, features),
            }
        ),
        lifespan=[watched],
        exception_handlers={HTTPException: _refuse, Exception: _fail},
        openapi_config=documents,
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
    if request.url.path.startswith("/v2/"):
        reply = reply._replace(body=msgspec.json.encode(InferenceError(problem.detail)), content_type=JSON)
    headers = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, status_code=reply.status, media_type=reply.content_type.decode(), headers=headers)
