"""Starts the service: `python -m api`."""

import gc
import logging
import os
import signal
import sys
import time

try:
    from api import settings as environment
    from api.errors import ServiceError
    from api.http.journal import configure_logging
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: {missing.name} is not installed for {sys.executable}: "
        "run `make install`, then `source .venv/bin/activate`."
    )

log = logging.getLogger("api")


def main() -> int:
    """Serve until a signal ends it; returns the exit code."""
    configure_logging()
    # Nothing is lost before the server runs, and process 1 of a container has no default handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))

    # Nothing that a start makes is garbage: to look for it would take a tenth of the time.
    gc.disable()
    from api.app import create_app
    from api.http.server import Server, allow_many_connections, check_port
    from api.loading import load_model

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
        gc.freeze()
        gc.enable()
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
