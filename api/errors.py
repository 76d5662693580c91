"""The errors that end a start: each message names what is wrong, where, and what to do.

ServiceError
├── SettingsError     the environment asks for something impossible
├── ResourceError     the machine lets the process have too little
├── ModelUnavailable  the store did not give the model: missing, denied, or away
├── ModelRefused      the model was read and must not be served
└── ScoringError      a table cannot be scored: its data, or the place for its scores
"""


class ServiceError(Exception):
    """The service, or a scoring, cannot start or go on."""


class SettingsError(ServiceError):
    """One or more environment variables are wrong; the message lists all of them."""


class ResourceError(ServiceError):
    """The process may not have another process or thread: `ResourceError(what, reason)`."""

    def __str__(self) -> str:
        what, reason = self.args
        return (
            f"{what} cannot be started ({reason}): raise the limit of processes and threads, which is `ulimit -u` and, "
            "in a container, its limit of pids"
        )


class ModelUnavailable(ServiceError):
    """The model could not be fetched: the message says from where, why, and what to do."""


class ModelRefused(ServiceError):
    """The model is corrupt, hostile, or not one that this service predicts with exactly."""


class ScoringError(ServiceError):
    """A table cannot be scored: the message names the part, or the place for the scores, and what to do."""
