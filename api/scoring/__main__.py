"""Scores a table: `python -m api.scoring`, in the image that serves, or beside it."""

import argparse
import logging
import os
import signal
import sys
from collections.abc import Sequence

# Nothing here multiplies matrices, and numpy's library for it would start a thread for each core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

try:
    from api.errors import ScoringError, ServiceError
    from api.http.journal import Journal, configure_logging
    from api.scoring.files.places import S3
    from api.scoring.processes import Local, cores
    from api.scoring.run import Request, score
except ModuleNotFoundError as missing:
    sys.exit(
        f"Error: {missing.name} is not installed for {sys.executable}: scoring needs requirements/scoring.txt, and an "
        "image that is built with --build-arg SCORING=true."
    )

log = logging.getLogger("api.scoring")

FAILED, INTERRUPTED = 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a table; returns the exit code."""
    given = _parser().parse_args(arguments)
    configure_logging(Journal(_write, os.environ.get("LOG_FORMAT", "auto")))
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        model, sha256 = (given.model, "") if given.model else _deployed()
        summary = score(Request(model, given.data, given.out, given.keep, sha256), Local(given.processes))
    except (ServiceError, OSError) as error:
        log.critical("%s: %s", type(error).__name__, error)
        return FAILED
    except KeyboardInterrupt:
        log.warning("interrupted: what is done stays, and the same command goes on")
        return INTERRUPTED
    log.info("%s", summary)
    return summary.code


def _deployed() -> tuple[str, str]:
    """The model that the environment names, as for the service, and its manifest's sha256."""
    bucket, path = os.environ.get("MODEL_BUCKET", ""), os.environ.get("MODEL_PATH", "")
    if not path:
        raise ScoringError("name the model: its directory as the first argument, or MODEL_BUCKET and MODEL_PATH")
    return f"{S3}{bucket}/{path}" if bucket else path, os.environ.get("MODEL_SHA256", "")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m api.scoring",
        description="Predict a whole table offline: Parquet or CSV in, Parquet out, with the answers of /predict.",
        epilog="Exit codes: 0 done; 1 failed; 2 wrong usage; 4 done, but rows were refused; 130 interrupted. The same "
        "command again goes on where the last one ended.",
    )
    parser.add_argument(
        "model", nargs="?", help="a published version's directory, here or s3://… [default: MODEL_BUCKET, MODEL_PATH]"
    )
    parser.add_argument("--data", required=True, help="a file, a folder or a pattern, here or in s3://…")
    parser.add_argument("--out", required=True, help="a folder for the scores, here or in s3://…")
    parser.add_argument("--keep", metavar="A,B", help="columns to keep [default: all that are no features]")
    parser.add_argument("--processes", type=_count, default=cores(), metavar="N", help="[default: one for each core]")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of processes: give 1 or more")
    return int(text)


def _write(line: bytes) -> None:
    sys.stdout.buffer.write(line)
    sys.stdout.flush()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
