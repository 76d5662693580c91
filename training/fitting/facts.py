"""What a training run learned besides the trees; it travels inside the MLflow model to the manifest and the card."""

import msgspec

from api.store.manifest import IntervalBins, KnownAnswers, Shares
from training.tables.description import Table

METADATA_KEY = "training"
"""Where in the MLmodel file's metadata the facts are kept."""


class Sampled(msgspec.Struct, frozen=True):
    """Of a table that was trained in parts: how many rows the figures were made of that no pass over all rows makes."""

    parts: int
    """Files of the table."""
    search: int
    """Learning rows that the candidates were searched on; deciles and the linear or logistic regression are theirs."""
    choose: int
    """Rows that no model learned from, by which the best few candidates were told apart."""
    calibrate: int
    """Others, on which the interval or the set of labels was set."""
    held_out: int
    """Held-out rows that all figures, the gate and the known answers are of."""


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """One run's table, choices and figures; errors are in target units."""

    table: Table
    """The description, as it was at training."""
    table_sha256: str
    """Of the description's file."""
    run_id: str
    trained_at: str
    """UTC, ISO 8601."""
    git_revision: str
    xgboost_version: str
    seed: int
    candidates: int
    folds: int
    data_source: str
    data_sha256: str
    data_rows: int
    train_rows: int
    """After cleaning."""
    test_rows: int
    repeated_rows: int = 0
    """Rows of the data that are the same as an earlier one."""
    sampled: Sampled | None = None
    """None where all rows were in memory."""
    removed: dict[str, int]
    """Training rows that each cleaning rule removed."""
    parameters: dict[str, float | int | str]
    """The best hyperparameters found."""
    metrics: dict[str, float]
    ranges: dict[str, tuple[float, float]]
    """Lowest and highest value of each number among the cleaned training rows."""
    interval: IntervalBins | None = None
    label_threshold: float | None = None
    distribution: dict[str, Shares] = {}
    known_answers: KnownAnswers

    @property
    def judged_rows(self) -> int:
        """The held-out rows that the figures are of."""
        return self.sampled.held_out if self.sampled else self.test_rows
