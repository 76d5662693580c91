"""What people see of a search while it runs."""

import logging
import re

import pandas as pd
import pytest

from tests.training.conftest import SMALL
from training.fitting import progress
from training.fitting.progress import TreesGrown
from training.fitting.search import search


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates and lines without delay."""
    monkeypatch.setattr(progress, "LINE_SECONDS", 0.0)
    monkeypatch.setattr(progress, "ESTIMATE_SECONDS", 0.0)


def test_lines_where_there_is_no_terminal(table: pd.DataFrame, caplog: pytest.LogCaptureFixture) -> None:
    """Elsewhere than in a terminal, lines tell the share that is done and what is left, up to the end."""
    with caplog.at_level(logging.INFO, "training"):
        search(table.head(1_000), SMALL.table, candidates=3, folds=2, seed=42)
    first, *lines = [message for message in caplog.messages if message.startswith("Searching")]
    assert first == "Searching: 3 candidates on 2 folds, 6 fits of 1,000 rows"
    matches = [re.fullmatch(r"Searching: (\d+) %, about \d+ s left", line) for line in lines]
    shares = [int(match[1]) for match in matches if match]
    assert len(shares) == len(lines) > 100
    assert shares == sorted(shares)
    assert shares[0] < 5
    assert 90 < shares[-1] <= 100


def test_a_bar_in_a_terminal(
    table: pd.DataFrame, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a terminal a bar says in a word what is under way, and ends at 100 %."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    search(table.head(1_000), SMALL.table, candidates=2, folds=2, seed=42)
    shown = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", capsys.readouterr().err)
    assert re.search(r"Searching ━+ +100%", shown)
    assert "RandomizedSearchCV" not in shown


def test_dear_fits_count_for_more(caplog: pytest.LogCaptureFixture) -> None:
    """After a quarter of the trees, which took three quarters of the work, three quarters are done."""
    counter = TreesGrown("Searching", [10, 30], [3.0, 1.0])
    with caplog.at_level(logging.INFO, "training"):
        for _ in range(40):
            counter.after_iteration()
    shares = [int(message.split()[1]) for message in caplog.messages]
    assert (shares[4], shares[9], shares[24], shares[39]) == (38, 75, 88, 100)


def test_a_broken_off_search_ends_the_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An error or Ctrl-C leaves the bar where it was, and the terminal its cursor."""
    monkeypatch.setenv("FORCE_COLOR", "1")

    def broken_off() -> None:
        with TreesGrown("Searching", [10], [1.0]) as counter:
            counter.after_iteration()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken_off()
    shown = capsys.readouterr().err
    assert "100%" not in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")
