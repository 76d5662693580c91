"""Fetches and loads the model in a process of its own, which ends when the model is there.

With it ends whatever loading takes and serving does not: the S3 client, the file, its decoded form. And a process can
be ended at any moment, where no timeout of a library's bounds a store that sends one byte a second.
"""

import logging
import multiprocessing
import signal
import sys
import time
from multiprocessing.connection import Connection

from api.errors import ModelUnavailable, ResourceError, ServiceError
from api.http.journal import Journal, Write, configure_logging
from api.model.model import Model
from api.settings import Settings
from api.store.fetch import fetch
from api.store.manifest import MANIFEST_NAME
from api.store.opening import open_store

log = logging.getLogger(__name__)

UNVERIFIED = (
    "a plain MLflow directory, served without verification of its files, without known answers and without its "
    "training ranges; publish it with `python -m training publish` instead"
)

# A fork need not import anything again; macOS's own libraries do not bear one.
if sys.platform == "linux":
    CONTEXT = multiprocessing.get_context("fork")
else:
    CONTEXT = multiprocessing.get_context("spawn")


def load_model(settings: Settings, write: Write) -> Model:
    """Fetch, verify and load the model within the time that the settings allow; `write` takes lines of the log.

    Raises:
        ServiceError: there is no model to serve; the message says why.
    """
    try:
        receiver, sender = CONTEXT.Pipe(duplex=False)
        process = CONTEXT.Process(target=_send_model, args=(settings, sender), daemon=True)
        process.start()
    except OSError as error:
        raise ResourceError("the process that loads the model", error) from error
    sender.close()
    wanted = f"the model at {settings.model_bucket or 'this machine'}:{settings.model_path}"
    try:
        outcome = _await_outcome(receiver, write, settings.start_seconds)
    except TimeoutError:
        raise ModelUnavailable(f"{wanted} did not arrive within START_SECONDS={settings.start_seconds}") from None
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


def _await_outcome(
    receiver: "Connection[None, Model | ServiceError | bytes]", write: Write, seconds: float
) -> Model | ServiceError:
    """What loading ends with; until then it sends lines of its log, since only one process writes to the output."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0 and receiver.poll(left):
        received = receiver.recv()
        if not isinstance(received, bytes):
            return received
        write(received)
    raise TimeoutError


def _send_model(settings: Settings, sender: "Connection[Model | ServiceError | bytes, None]") -> None:
    # Control-C reaches both processes; the other one ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging(Journal(sender.send, settings.log_format))
    try:
        store = open_store(settings.model_bucket, settings.model_path)
        fetched = fetch(store, settings.model_sha256, settings.allow_unverified)
        model = Model.load(fetched)
    except ServiceError as error:
        sender.send(error)
    except Exception:
        log.exception("loading failed in a way that nobody foresaw")
        sys.exit(1)
    else:
        if fetched.manifest is None:
            log.warning("%s has no %s: %s", fetched.where, MANIFEST_NAME, UNVERIFIED)
        sender.send(model)
