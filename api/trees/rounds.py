"""Which of a model's trees count, and to which output each of them adds.

A booster predicts with all its rounds, XGBoost's scikit-learn classes with those up to the best one. So MLflow's answer
depends on the class that it loads a file with, and so does ours.
"""

import json
import math
import re

from msgspec import UNSET

from api.errors import ModelRefused
from api.trees import fields

BOOSTER = "xgboost.core.Booster"
CLASSIFIERS = {"xgboost.sklearn.XGBClassifier", "xgboost.sklearn.XGBRFClassifier"}
SCIKIT_LEARN = CLASSIFIERS | {
    "xgboost.sklearn.XGBModel",
    "xgboost.sklearn.XGBRegressor",
    "xgboost.sklearn.XGBRFRegressor",
}


def counted(learner: fields.Learner, model: fields.Model, outputs: int, model_class: str) -> int:
    """How many of the trees count, from the first on, as MLflow's own loader has it for this class.

    Raises:
        ModelRefused: the rounds do not add up, or the class or its settings would predict in another way.
    """
    ends = _ends(model, outputs)
    _refuse_other_missing(learner.attributes.get("scikit_learn", "{}"))
    if model_class == BOOSTER:
        return ends[-1]
    if model_class not in SCIKIT_LEARN:
        raise ModelRefused(
            f"the model's class is {model_class[:100]!r}, whose way of predicting is not known here; "
            "log its get_booster() instead"
        )
    best = learner.attributes.get("best_iteration")
    if best is None:
        return ends[-1]
    if not re.fullmatch("[0-9]{1,9}", best) or int(best) >= len(ends):
        raise ModelRefused(f"the model's best_iteration is {best[:100]!r}, but it has the rounds 0 to {len(ends) - 1}")
    return ends[int(best)]


def _ends(model: fields.Model, outputs: int) -> list[int]:
    """Where each round's trees end; every round has as many for each output, one output after the other."""
    number, parallel = len(model.trees), int(model.gbtree_model_param.num_parallel_tree)
    bounds = list(range(0, number + 1, max(1, outputs * parallel)))
    if parallel < 1 or bounds[-1] != number or model.iteration_indptr not in (UNSET, bounds):
        raise ModelRefused(f"the model file is damaged: its rounds do not divide its {number} trees")
    each = [output for output in range(outputs) for _ in range(parallel)]
    if model.tree_info != each * (len(bounds) - 1):
        raise ModelRefused("the model file is damaged: tree_info does not name each round's outputs in order")
    return bounds[1:]


def _refuse_other_missing(settings: str) -> None:
    """Only XGBoost 1.7's scikit-learn classes note their settings; since then `missing` is lost in saving."""
    try:
        noted = json.loads(settings)
        missing = noted.get("missing", math.nan)
    except (ValueError, AttributeError, RecursionError) as error:
        raise ModelRefused("the model's attribute scikit_learn cannot be read") from error
    if not (isinstance(missing, float) and math.isnan(missing)):
        raise ModelRefused(
            f"the model was trained with missing={missing!r:.100}, so that value counted as missing; "
            "the service takes only what is absent for missing: replace it in the data by NaN, and train again"
        )
