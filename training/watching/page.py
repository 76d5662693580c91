"""The report on captured rows: a page in one file, which asks nobody for anything."""

import io
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path

import jinja2
from matplotlib.figure import Figure

from training.figures.drift import title
from training.fitting import scores
from training.watching.drift import FEWEST_TRUE, MOST_EXTRAPOLATED, Column, Comparison

TEMPLATE = Path(__file__).with_name("page.html")

_ALT = {
    "index.png": "Bars: the population stability index of each column, which the table above has as numbers.",
    "bins.png": "Bars for each column: the share of the training rows and of the captured rows in each bin.",
}


def render(found: Comparison, figures: Mapping[str, Figure]) -> str:
    """The page as HTML."""
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    return environment.from_string(TEMPLATE.read_text()).render(
        name=found.manifest.schema.heading,
        manifest=found.manifest,
        verdict=verdict(found),
        reasons=found.reasons,
        rows=found.rows,
        first=f"{found.first:%Y-%m-%d %H:%M} UTC",
        last=f"{found.last:%Y-%m-%d %H:%M} UTC",
        live=found.live,
        figures=[*live_figures(found)],
        columns=[*columns(found)],
        pictures=[(_ALT[name], _encoded(figure)) for name, figure in figures.items()],
    )


def verdict(found: Comparison) -> str:
    """In a sentence whether to retrain."""
    if found.reasons:
        return "Retrain: the model no longer fits the rows that it is asked about."
    if not found.enough and not found.judged:
        return f"{found.rows:,} rows are too few to tell drift from chance: capture more, or for longer."
    few = "" if found.live is None or found.judged else f" ({found.live.rows:,} true values; {FEWEST_TRUE} are needed)"
    return f"Nothing speaks for retraining{few}."


def live_figures(found: Comparison) -> Iterator[tuple[str, str, str]]:
    """What each live figure is called, its value, and the card's."""
    if found.live is None:
        return
    titles = {f"test_{name}": text for name, text in scores.titles(found.manifest.schema.target.kind).items()}
    titles |= {"interval_coverage": "90 % intervals hold", "set_coverage": "90 % sets hold"}
    for name, text in titles.items():
        if name in found.live.metrics:
            form = ".1%" if name.endswith("coverage") else ".4f"
            card = found.manifest.metrics.get(name)
            yield text, format(found.live.metrics[name], form), "-" if card is None else format(card, form)


def columns(found: Comparison) -> Iterator[tuple[str, str, str, str, str, str]]:
    """Of each column its name, index, limit, shares outside the training rows and without a value, and what it says."""
    for column in sorted(found.columns, key=lambda column: -column.psi):
        limit = "-" if column.limit is None else f"{column.limit:.3f}"
        outside, missing = f"{column.extrapolated:.1%}", f"{column.missing:.1%}"
        yield title(column), f"{column.psi:.3f}", limit, outside, missing, _says(column)


def _says(column: Column) -> str:
    if column.limit is None:
        return "too few rows"
    if column.moved:
        return "moved"
    return "outside" if column.extrapolated > MOST_EXTRAPOLATED else "as in training"


def _encoded(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    return b64encode(buffer.getvalue()).decode()
