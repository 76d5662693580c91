"""Where a model that tells classes apart errs."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from sklearn.calibration import calibration_curve
from sklearn.metrics import ConfusionMatrixDisplay, PrecisionRecallDisplay, RocCurveDisplay, confusion_matrix

from training.figures.style import GREY, new_figure, plain
from training.fitting.estimators import Values, truth
from training.tables.description import Table

MOST_CURVES = 8
"""Of the commonest classes; more could not be told apart."""

BINS = 10


def draw(test: pd.DataFrame, predicted: Values, description: Table) -> dict[str, Figure]:
    """The figures of held-out rows, by file name."""
    codes = truth(test, description).astype(int)
    names = [plain(name) for name in description.schema().target.classes]
    curves = _curves(codes, names)
    return {
        "roc.png": roc(codes, predicted, curves),
        "precision_recall.png": precision_recall(codes, predicted, curves),
        "calibration.png": calibration(codes, predicted, curves),
        "confusion.png": confusion(codes, predicted, names),
    }


def _curves(codes: Values, names: list[str]) -> dict[int, str]:
    """The classes that get a curve: of two the second, of several the commonest, each against the rest."""
    if len(names) == 2:
        return {1: names[1]}
    counts = np.bincount(codes, minlength=len(names))
    commonest = np.argsort(-counts, kind="stable")[:MOST_CURVES]
    return {int(code): names[code] for code in sorted(commonest) if 0 < counts[code] < len(codes)}


def roc(codes: Values, predicted: Values, curves: dict[int, str]) -> Figure:
    """True against false positives at every threshold."""
    figure, axes = _square("ROC: true against false positives at every threshold")
    for code, name in curves.items():
        RocCurveDisplay.from_predictions(codes == code, predicted[:, code], name=name, ax=axes)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
    axes.set(xlabel="False positive rate", ylabel="True positive rate")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    return figure


def precision_recall(codes: Values, predicted: Values, curves: dict[int, str]) -> Figure:
    """Precision against recall at every threshold."""
    figure, axes = _square("Precision against recall at every threshold")
    for code, name in curves.items():
        PrecisionRecallDisplay.from_predictions(codes == code, predicted[:, code], name=name, ax=axes)
    axes.set(xlabel="Recall", ylabel="Precision")
    axes.legend(loc="lower left", frameon=False, fontsize=9)
    return figure


def calibration(codes: Values, predicted: Values, curves: dict[int, str]) -> Figure:
    """How often what was called so probable was true."""
    figure, axes = _square("Calibration: how often what was called so probable was true")
    for code, name in curves.items():
        true, said = calibration_curve(
            codes == code, np.clip(predicted[:, code], 0, 1), n_bins=BINS, strategy="quantile"
        )
        axes.plot(said, true, "o-", markersize=4, label=name)
    axes.plot([0, 1], [0, 1], color=GREY, linewidth=1, linestyle=":")
    axes.set(xlabel="Predicted probability", ylabel="Share that was true")
    axes.legend(loc="upper left", frameon=False, fontsize=9)
    return figure


def confusion(codes: Values, predicted: Values, names: list[str]) -> Figure:
    """Which classes are taken for which."""
    size = min(12.0, 4.0 + 0.5 * len(names))
    figure = new_figure(size, size)
    axes = figure.subplots()
    counts = confusion_matrix(codes, predicted.argmax(axis=1), labels=np.arange(len(names)))
    shown = ConfusionMatrixDisplay(counts, display_labels=names)
    shown.plot(ax=axes, cmap="Blues", colorbar=False, xticks_rotation=45 if len(names) > 3 else 0)
    axes.grid(visible=False)
    axes.set_title(f"Confusion, {len(codes):,} held-out rows")
    return figure


def _square(title: str) -> tuple[Figure, Axes]:
    figure = new_figure(6.5, 6)
    axes = figure.subplots()
    axes.set_title(title)
    return figure, axes
