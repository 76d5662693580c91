"""Starts the service: `python -m api`."""

import gc
import logging
import os
import signal
import sys
import time

try:
    from api import settings as environment
    from api.errors import ResourceError, ServiceError
    from api.http.journal import STANDARD_OUTPUT, Journal, configure_logging
    from api.http.output import Output
    from api.http.sockets import listen, take_port
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: {missing.name} is not installed for {sys.executable}: "
        "run `make install`, then `source .venv/bin/activate`."
    )

log = logging.getLogger("api")


def main() -> int:
    """Serve until a signal ends it; returns the exit code."""
    if sys.stdout is None:
        print("the log goes to standard output, which is closed: open it, to /dev/null for no log", file=sys.stderr)
        return 1
    for stream in (sys.stdin, sys.stderr):
        if stream is None:
            # Its number would go to the next socket, which libuv would not close for what it is.
            os.open(os.devnull, os.O_RDWR)
    output = Output(STANDARD_OUTPUT)
    configure_logging(Journal(output.write, "auto"))
    # Nothing is lost before the server runs, and process 1 of a container has no default handler.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        return _serve(output)
    except ServiceError as error:
        log.critical("%s: %s", type(error).__name__, error)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        output.close()


def _serve(output: Output) -> int:
    settings = environment.from_environment(os.environ)
    configure_logging(Journal(output.write, settings.log_format))
    sockets = take_port("PORT", settings.host, settings.port)
    metrics_sockets = take_port("METRICS_PORT", settings.host, settings.metrics_port) if settings.metrics_port else []

    # Nothing that a start makes is garbage: to look for it would take a tenth of the time.
    gc.disable()
    # Nothing here multiplies matrices, and numpy's library for it would start a thread for each core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from api.app import create_app
    from api.http.server import Server, allow_many_connections
    from api.loading import load_model

    started = time.perf_counter()
    model = load_model(settings, output.write)
    load_seconds = time.perf_counter() - started
    log.info("model %s from %s is ready after %.2f s", model.version, model.where, load_seconds)
    app = create_app(settings, model, load_seconds, output)
    try:
        output.start()
    except RuntimeError as error:
        raise ResourceError("the thread that writes the log", error) from error
    allow_many_connections()
    # What has been loaded stays: the collector need not look at it again.
    gc.freeze()
    gc.enable()
    server = Server(settings, app, metrics_sockets)
    listen(sockets + metrics_sockets)
    server.run(sockets)
    return 0 if server.started else 1


if __name__ == "__main__":
    sys.exit(main())
