"""Draws the bars of the README from the measured file."""

import json
from io import StringIO
from pathlib import Path

import click
import matplotlib as mpl

mpl.use("svg")
import matplotlib.pyplot as plt

from benchmarks.serving import RESULTS

PICTURE = Path(__file__).parent.parent / "docs" / "benchmark.svg"
NAMES = {
    "ours": "this service",
    "walkthrough": "FastAPI + pyfunc (the usual tutorial)",
    "mlserver": "MLServer",
    "bentoml": "BentoML",
    "litestar-typed": "Litestar's typed handler, no prediction",
    "bare-asgi": "bare ASGI callable, no prediction",
}
OURS, PREDICTING, EMPTY = "#c2410c", "#94a3b8", "#e2e8f0"

DARK = {
    "fill: #ffffff": "fill: #0d1117",
    "stroke: #000000": "stroke: #8b949e",
    f"fill: {OURS}": "fill: #f97316",
    f"fill: {PREDICTING}": "fill: #64748b",
    f"fill: {EMPTY}": "fill: #30363d",
}
"""What matplotlib draws on white, and what takes its place for a reader whose system is dark."""


def draw(results: Path, picture: Path) -> None:
    """Requests per second at 1 and at 64 connections, a bar for each stack."""
    outcome = json.loads(results.read_text())
    stacks = {name: figures for name, figures in outcome["stacks"].items() if name in NAMES}
    order = sorted(stacks, key=lambda name: stacks[name]["load"]["64"]["rps"])
    figure, axes = plt.subplots(1, 2, figsize=(10, 0.5 * len(order) + 1.4), sharey=True, layout="constrained")
    for axis, connections in zip(axes, ("1", "64"), strict=True):
        rates = [stacks[name]["load"][connections]["rps"] for name in order]
        colours = [OURS if name == "ours" else PREDICTING if stacks_predict(name) else EMPTY for name in order]
        bars = axis.barh([NAMES[name] for name in order], rates, color=colours)
        axis.bar_label(bars, [f"{rate:,.0f}" for rate in rates], padding=3)
        axis.set_title(f"{connections} connection{'s' if connections != '1' else ''}", loc="left")
        axis.set_xlabel("requests per second")
        axis.margins(x=0.16)
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"One core, {outcome['model']}, one row a request, every answer checked", x=0.01, ha="left")
    # The same figures give the same file.
    mpl.rcParams["svg.hashsalt"] = "benchmark"
    drawn = StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    picture.write_text(drawn.getvalue().replace("</style>", f"{_dark_rules()}</style>", 1))


def _dark_rules() -> str:
    # Text has no colour of its own. Everything else has it in a style attribute, which only !important overrides.
    rules = "".join(f'[style*="{light}"]{{{dark} !important}}' for light, dark in DARK.items())
    return f"@media (prefers-color-scheme: dark){{svg{{fill: #e6edf3}}{rules}}}"


def stacks_predict(name: str) -> bool:
    """Whether a stack predicts, or only shows what a framework costs."""
    return name not in ("litestar-typed", "bare-asgi")


@click.command()
@click.option("--results", default=RESULTS, type=click.Path(path_type=Path), show_default=True)
@click.option("--picture", default=PICTURE, type=click.Path(path_type=Path), show_default=True)
def main(*, results: Path, picture: Path) -> None:
    """Draw the measured figures."""
    draw(results, picture)


if __name__ == "__main__":
    main()
