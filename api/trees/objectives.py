"""What each of XGBoost's objectives predicts, and the link function between its raw score and its answer.

`exp` and `log` are the C library's own float32 functions, which XGBoost calls; numpy's differ in the last bit. So
answers are XGBoost's to the bit where both use the same C library; raw scores are everywhere.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from api.errors import ModelRefused

Scores = npt.NDArray[np.float32]
Kind = Literal["number", "boolean", "category"]

_C = ctypes.CDLL(None)
_expf, _logf = _C.expf, _C.logf
for _function in (_expf, _logf):
    _function.argtypes, _function.restype = [ctypes.c_float], ctypes.c_float

ONE = np.float32(1)
LARGEST_EXPONENT = np.float32(88.7)
"""XGBoost's bound, below which its `expf` does not overflow."""
SMALLEST_DOUBT = np.float32(1e-6)
"""XGBoost's bound for a base score that is a probability, in newer releases; older ones refuse what lies beyond."""


@dataclass(frozen=True)
class Link:
    """A link function.

    `answer` turns raw scores, of shape (n,) or (n, classes), into what XGBoost predicts, of the same shape. `score`
    turns a base score, which a file states in the unit of the answer, into a raw one; NaN if there is none.
    """

    name: str
    answer: Callable[[Scores], Scores]
    score: Callable[[np.float32], np.float32]


@dataclass(frozen=True)
class Objective:
    """What a model was trained to predict. With another link than `identity`, raw scores are no answers."""

    name: str
    kind: Kind
    link: Link

    @property
    def linked(self) -> bool:
        """Whether an answer is made of the raw score by a function."""
        return self.link.name != "identity"


def _same(scores: Scores) -> Scores:
    return scores


def _itself(base: np.float32) -> np.float32:
    return base


def _exp(scores: Scores) -> Scores:
    return np.fromiter(map(_expf, scores.ravel().tolist()), np.float32, scores.size).reshape(scores.shape)


def _log(base: np.float32) -> np.float32:
    return np.float32(_logf(float(base)) if base > 0 else np.nan)


def _sigmoid(scores: Scores) -> Scores:
    answer: Scores = ONE / (_exp(np.minimum(-scores, LARGEST_EXPONENT)) + ONE)
    return answer


def _logit(base: np.float32) -> np.float32:
    if not 0 <= base <= 1:
        return np.float32(np.nan)
    bounded = min(max(base, SMALLEST_DOUBT), ONE - SMALLEST_DOUBT)
    return np.float32(-_logf(float(ONE / bounded - ONE)))


def _softmax(scores: Scores) -> Scores:
    powers = _exp(scores - scores.max(axis=1, keepdims=True))
    # Class after class, in float64, as XGBoost adds them.
    total = np.add.accumulate(powers, axis=1, dtype=np.float64)[:, -1].astype(np.float32)
    answer: Scores = powers / total[:, np.newaxis]
    return answer


IDENTITY = Link("identity", _same, _itself)
LOG = Link("log", _exp, _log)
LOGIT = Link("logit", _sigmoid, _logit)
SOFTMAX = Link("softmax", _softmax, _itself)

OBJECTIVES = {
    objective.name: objective
    for objective in (
        Objective("reg:squarederror", "number", IDENTITY),
        Objective("reg:absoluteerror", "number", IDENTITY),
        Objective("reg:pseudohubererror", "number", IDENTITY),
        Objective("reg:squaredlogerror", "number", IDENTITY),
        Objective("reg:gamma", "number", LOG),
        Objective("reg:tweedie", "number", LOG),
        Objective("count:poisson", "number", LOG),
        Objective("reg:logistic", "number", LOGIT),
        Objective("binary:logistic", "boolean", LOGIT),
        # Trained on yes and no, but XGBoost answers with the raw score, the logarithm of the odds.
        Objective("binary:logitraw", "number", IDENTITY),
        Objective("multi:softprob", "category", SOFTMAX),
        # XGBoost answers with the likeliest class, the first where the probability is largest; here it has them all.
        Objective("multi:softmax", "category", SOFTMAX),
    )
}


def find(name: str) -> Objective:
    """The objective of this name.

    Raises:
        ModelRefused: it is not one of those whose answers are known here.
    """
    if name not in OBJECTIVES:
        raise ModelRefused(f"the model's objective is {name!r:.100}; those covered are {', '.join(OBJECTIVES)}")
    return OBJECTIVES[name]
