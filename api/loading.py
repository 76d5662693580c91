"""Fetches and loads the model in a process of its own, which ends when the model is there.

With it ends whatever loading takes and serving does not: the S3 client, the file, its decoded form. And a process can
be ended at any moment, where no timeout of a library's bounds a store that sends one byte a second.
"""

import multiprocessing
import signal
import sys
from multiprocessing.connection import Connection

from api.errors import ModelUnavailable, ServiceError
from api.http.journal import configure_logging
from api.model.model import Model
from api.settings import Settings
from api.store.fetch import fetch
from api.store.opening import open_store

# A fork need not import anything again; macOS's own libraries do not bear one.
if sys.platform == "linux":
    CONTEXT = multiprocessing.get_context("fork")
else:
    CONTEXT = multiprocessing.get_context("spawn")


def load_model(settings: Settings) -> Model:
    """Fetch, verify and load the model within the time that the settings allow.

    Raises:
        ServiceError: there is no model to serve; the message says why.
    """
    wanted = f"the model at {settings.model_bucket or 'this machine'}:{settings.model_path}"
    receiver, sender = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_send_model, args=(settings, sender), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(settings.start_seconds):
            raise ModelUnavailable(f"{wanted} did not arrive within START_SECONDS={settings.start_seconds}")
        outcome: Model | ServiceError = receiver.recv()
    except (EOFError, OSError):
        process.join()
        why = "for want of memory: give the task more" if process.exitcode == -signal.SIGKILL else "see the log above"
        raise ModelUnavailable(f"{wanted} was not loaded: its process ended with {process.exitcode}, {why}") from None
    finally:
        process.kill()
        process.join()
        receiver.close()
    if isinstance(outcome, ServiceError):
        raise outcome
    return outcome


def _send_model(settings: Settings, sender: "Connection[Model | ServiceError, None]") -> None:
    # Control-C reaches both processes; the other one ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging()
    outcome: Model | ServiceError
    try:
        outcome = Model.load(fetch(open_store(settings.model_bucket, settings.model_path), settings.model_sha256))
    except ServiceError as error:
        outcome = error
    sender.send(outcome)
