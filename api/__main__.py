"""Starts the service: `python -m api`."""

import gc
import logging
import os
import signal
import sys
import threading
import time

from api import settings as environment
from api.app import create_app
from api.errors import ModelUnavailable, ServiceError
from api.fetch import fetch
from api.journal import configure_logging
from api.model import Model
from api.server import Server, allow_many_connections, check_port
from api.settings import Settings
from api.store import open_store

log = logging.getLogger("api")


def load_model(settings: Settings) -> Model:
    """Fetch, verify and load the model within the time that the settings allow.

    Raises:
        ServiceError: there is no model to serve; the message says why.
    """
    outcome: list[Model | BaseException] = []

    def load() -> None:
        try:
            store = open_store(settings.model_bucket, settings.model_path)
            outcome.append(Model.load(fetch(store, settings.model_sha256)))
        except BaseException as error:  # noqa: BLE001 (raised again below, in the main thread)
            outcome.append(error)

    # A thread, because no timeout of a library's bounds a store that sends one byte a second.
    thread = threading.Thread(target=load, daemon=True)
    thread.start()
    thread.join(settings.start_seconds)
    if not outcome:
        raise ModelUnavailable(
            f"the model at {settings.model_bucket or 'this machine'}:{settings.model_path} did not arrive within "
            f"START_SECONDS={settings.start_seconds}"
        )
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def main() -> int:
    """Serve until a signal ends it; returns the exit code."""
    configure_logging()
    # Nothing is lost before the server runs, and process 1 of a container has no default handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    started = time.perf_counter()
    try:
        settings = environment.from_environment(os.environ)
        check_port(settings)
        model = load_model(settings)
        load_seconds = time.perf_counter() - started
        log.info("model %s from %s is ready after %.2f s", model.version, model.where, load_seconds)
        app = create_app(settings, model, load_seconds)
        if settings.metrics_port:
            app.metrics.serve(settings.host, settings.metrics_port)
        allow_many_connections()
        # What has been loaded stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()
        server = Server(settings, app)
        server.run()
    except ServiceError as error:
        log.critical("%s: %s", type(error).__name__, error)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
