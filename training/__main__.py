"""The commands: describe, train, adopt, publish, versions, promote, score, captured, drift, sample, ui."""

import logging
import os
import signal
import sys

# MLflow reads these when it is imported. Nobody's training is anybody else's business; and seven tries, its default,
# keep a person with a wrong address waiting for minutes.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
# MLflow's library for git tells of a missing git in twelve lines; the run says `unknown` instead of a revision.
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
# After a run MLflow would print the server's address, with the password if there is one in it.
os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"

NOT_INSTALLED = f"is not installed for {sys.executable}: run `make install`, then `source .venv/bin/activate`"

try:
    import click
    from botocore.exceptions import BotoCoreError, ClientError

    from training.commands.adopt import adopt
    from training.commands.captured import captured
    from training.commands.describe import describe
    from training.commands.drift import drift
    from training.commands.look import sample, ui
    from training.commands.publish import promote, publish, versions
    from training.commands.score import score
    from training.commands.train import train
    from training.errors import DescriptionError, TrainingError
except ModuleNotFoundError as missing:
    sys.exit(f"Error: {missing.name} {NOT_INSTALLED}.")

FAILED, INTERRUPTED = 1, 130


@click.group(
    commands=[describe, train, adopt, publish, versions, promote, score, captured, drift, sample, ui],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Exit codes: 0 done; 1 failed, with one line that says why; 2 wrong usage;
3 done, but the version is not better than the champion and was not promoted;
4 done, and there is something to look at: rows that were refused (score), or that speak for
retraining (drift); 130 interrupted.

\b
Environment: MLFLOW_TRACKING_URI names the tracking server (default sqlite:///mlflow.db);
AWS_* name account, region and endpoint as usual.""",
)
def main() -> None:
    """Describe a table, train a model of it, publish it to a store, choose which version is live, and score tables."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command; whatever a user can cause ends in an exit code and one line on stderr."""
    logging.basicConfig(format="%(message)s", level=logging.WARNING)
    logging.getLogger("training").setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, _terminate)
    try:
        return main(arguments, prog_name="python -m training", standalone_mode=False) or 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("Interrupted; nothing was left half done.", err=True)
        return INTERRUPTED
    except ModuleNotFoundError as error:
        click.echo(f"Error: {error.name} {NOT_INSTALLED}.", err=True)
        return FAILED
    except DescriptionError as error:
        click.echo(f"Error: {error}", err=True)  # a line for each fault
        return FAILED
    except (TrainingError, BotoCoreError, ClientError, OSError) as error:
        click.echo(f"Error: {' '.join(str(error).split())}", err=True)
        return FAILED


def _terminate(*_: object) -> None:
    """Let SIGTERM unwind like Ctrl-C, so that MLflow's run is closed and temporary files go."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run())
