"""How far predictions are from the truth: of numbers in target units, of classes by their probabilities."""

import numpy as np
import numpy.typing as npt
from sklearn.metrics import (
    accuracy_score,
    brier_score_loss,
    log_loss,
    mean_absolute_error,
    r2_score,
    roc_auc_score,
    root_mean_squared_error,
)

from training.fitting.estimators import Values

NUMBER = {"rmse": "RMSE", "mae": "MAE", "r2": "R²"}
CLASSES = {"log_loss": "Log loss", "roc_auc": "ROC AUC", "brier": "Brier score", "accuracy": "Accuracy"}
"""The scores by the ends of their metrics' names, as people call them; the first is the one that decides."""

_LEAST = 1e-15
"""As scikit-learn once had it: no true class is so improbable that its logarithm ends everything."""


def titles(kind: str) -> dict[str, str]:
    """The scores of a kind of target."""
    return NUMBER if kind == "number" else CLASSES


def score(true: Values, predicted: Values) -> dict[str, float]:
    """Compare numbers of shape (n,), or probabilities of shape (n, classes), with true numbers or codes."""
    if predicted.ndim == 1:
        return {
            "rmse": float(root_mean_squared_error(true, predicted)),
            "mae": float(mean_absolute_error(true, predicted)),
            "r2": float(r2_score(true, predicted)),
        }
    classes = np.arange(predicted.shape[1])
    probabilities = predicted.astype(np.float64)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    ranked = probabilities[:, 1] if len(classes) == 2 else probabilities
    return {
        "log_loss": float(log_loss(true, probabilities, labels=classes)),
        "roc_auc": _roc_auc(true, ranked, classes),
        "brier": float(brier_score_loss(true, probabilities, labels=classes)),
        "accuracy": float(accuracy_score(true, probabilities.argmax(axis=1))),
    }


def losses(true: Values, predicted: Values) -> Values:
    """The loss of each row that the gate compares: squared errors, or the log loss of the true class."""
    if predicted.ndim == 1:
        squared: Values = (predicted.astype(np.float64) - true) ** 2
        return squared
    probabilities = predicted[np.arange(len(true)), true.astype(int)].astype(np.float64)
    lost: Values = -np.log(np.maximum(probabilities, _LEAST))
    return lost


def decisive(mean_loss: float, kind: str) -> float:
    """The score that decides, from the mean of the losses."""
    return float(np.sqrt(mean_loss)) if kind == "number" else mean_loss


def _roc_auc(true: Values, ranked: Values, classes: npt.NDArray[np.int_]) -> float:
    """One class against the rest; a half, as by chance, where not all classes are there to be told apart."""
    if len(np.unique(true)) < len(classes):
        return 0.5
    return float(roc_auc_score(true, ranked, multi_class="ovr", labels=classes))
