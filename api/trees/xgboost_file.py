"""Reads a model as XGBoost saves it, and refuses what would be predicted otherwise than XGBoost does.

The file is decoded (`ubjson.py`), held against the list of all fields that XGBoost writes (`fields.py`), its rounds are
counted (`rounds.py`), and its trees checked and joined (`joining.py`).
"""

import json
import re
from typing import Any

import numpy as np
from msgspec import UNSET

from api.errors import ModelRefused
from api.trees import categories, fields, joining, objectives, rounds, ubjson
from api.trees.forest import Floats, Forest
from api.trees.objectives import Objective

OLDEST_XGBOOST, NEWEST_XGBOOST = (1, 7), (3, 4)
"""Releases of which models of all kinds are compared with XGBoost itself; others may mean something else by a field."""

SETTINGS = {
    "reg:squarederror": "reg_loss_param",
    "reg:logistic": "reg_loss_param",
    "binary:logistic": "reg_loss_param",
    "binary:logitraw": "reg_loss_param",
    "reg:pseudohubererror": "pseudo_huber_param",
    "reg:tweedie": "tweedie_regression_param",
    "count:poisson": "poisson_regression_param",
}
"""What XGBoost wants to find beside an objective's name, though it predicts without; see also `_outputs`."""


def read(name: str, raw: bytes, model_class: str = rounds.BOOSTER) -> Forest:
    """Read a model file. Whether it is UBJSON or JSON, its first bytes tell: MLflow 2 called either `model.xgb`.

    Args:
        name: the file's name, for messages.
        raw: its bytes.
        model_class: the Python class that MLflow would load it with, which decides how many rounds count.

    Raises:
        ModelRefused: a format or kind of model that is not covered, or a file that is not a whole model.
    """
    try:
        is_json = _is_json(name, raw)
        document = _decode(raw) if is_json else ubjson.loads(raw)
        version, learner = document["version"], document["learner"]
        refuse_untested(".".join(str(part) for part in version))
        _refuse_uncovered(learner)
        return _forest(fields.convert(document, lists=is_json), model_class)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, RecursionError) as error:
        # A key alone says little.
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise ModelRefused(f"{name} is not a model as XGBoost saves it: {reason[:500]}") from error


def refuse_untested(version: str) -> None:
    """Refuse a model whose XGBoost (`3.2.0`; empty: unknown) is none that this reader is tested against."""
    match = re.match(r"([0-9]{1,4})\.([0-9]{1,4})", version)
    if not match or OLDEST_XGBOOST <= (release := (int(match[1]), int(match[2]))) <= NEWEST_XGBOOST:
        return
    newest, oldest = (".".join(str(part) for part in bound) for bound in (NEWEST_XGBOOST, OLDEST_XGBOOST))
    if release > NEWEST_XGBOOST:
        raise ModelRefused(
            f"the model was written by XGBoost {version}, newer than {newest}, the newest that this service is tested "
            "with; it might read the file wrongly. Deploy a newer service, or train with an older XGBoost"
        )
    raise ModelRefused(
        f"the model was written by XGBoost {version}, older than {oldest}, the oldest that this service is tested "
        "with; load it into a newer XGBoost and save it again"
    )


def _is_json(name: str, raw: bytes) -> bool:
    """JSON rather than UBJSON, by the rule of XGBoost's `LearnerIO::Load`."""
    if raw[:1] != b"{":
        raise ModelRefused(
            f"{name} is neither UBJSON nor JSON. If it is in XGBoost's older binary format, which XGBoost itself reads "
            "no more since 3.1: load it into XGBoost 3.0 or older, and save it as model.ubj"
        )
    return raw[1:2] == b'"' or raw[1:2].isspace()


def _decode(raw: bytes) -> Any:
    # Not msgspec's reader: up to XGBoost 2.1 the threshold of a split on categories is the word NaN.
    return json.loads(raw.decode(), object_pairs_hook=_distinct)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _refuse_uncovered(learner: Any) -> None:
    """Name the kind of a model that is not covered, rather than the first field that is not known."""
    booster = learner["gradient_booster"]
    if booster["name"] not in ("gbtree", "dart"):
        raise ModelRefused(f"the model's booster is {booster['name']!r:.100}; covered are trees, 'gbtree' and 'dart'")
    objectives.find(learner["objective"]["name"])
    if (targets := learner["learner_model_param"]["num_target"]) != "1":
        raise ModelRefused(f"the model predicts {targets!s:.100} targets at once; the service predicts one")
    for tree in booster.get("gbtree", booster)["model"]["trees"]:
        if tree["tree_param"]["size_leaf_vector"] not in ("0", "1"):
            raise ModelRefused(
                "the model's leaves hold a number for each output (multi_strategy='multi_output_tree'); "
                "the service reads trees of one output each"
            )


def _forest(file: fields.File, model_class: str) -> Forest:
    learner = file.learner
    parameters, booster = learner.learner_model_param, learner.gradient_booster
    model = (booster.gbtree if isinstance(booster, fields.Dart) else booster).model
    objective, n_features = objectives.find(learner.objective.name), int(parameters.num_feature)
    for what, listed in (("names", learner.feature_names), ("types", learner.feature_types)):
        if listed and len(listed) != n_features:
            raise ModelRefused(f"the model file is damaged: it has {len(listed)} {what} for {n_features} features")
    if len(model.trees) != int(model.gbtree_model_param.num_trees):
        raise ModelRefused(f"the model file is damaged: num_trees is not {len(model.trees)}, the number of its trees")
    if not model.trees:
        raise ModelRefused("the model has no trees")
    if (settings := SETTINGS.get(objective.name)) and not getattr(learner.objective, settings):
        raise ModelRefused(f"the model file is damaged: its objective {objective.name!r} has no {settings}")
    outputs = _outputs(objective, learner)
    weights = _tree_weights(booster, model)
    nodes = joining.join(model.trees, n_features)
    number = rounds.counted(learner, model, outputs, model_class)
    if number < len(model.trees):
        nodes = joining.join(model.trees[:number], n_features)
    return Forest(
        objective=objective,
        n_features=n_features,
        feature_names=learner.feature_names,
        feature_types=learner.feature_types,
        categories=categories.names(model, n_features, file.version),
        base_score=_base_score(parameters.base_score, objective, outputs),
        output=np.array(model.tree_info[:number]),
        tree_weight=None if weights is None else weights[:number],
        nodes=nodes,
    )


def _outputs(objective: Objective, learner: fields.Learner) -> int:
    classes = learner.learner_model_param.num_class
    if objective.kind != "category":
        if int(classes) > 1:
            raise ModelRefused(f"the model has {classes} classes, but its objective {objective.name!r} predicts none")
        return 1
    if int(classes) < 2 or learner.objective.softmax_multiclass_param != {"num_class": classes}:
        raise ModelRefused(f"the model file is damaged: it and its objective do not agree on {classes} classes")
    return int(classes)


def _tree_weights(booster: fields.GBTree | fields.Dart, model: fields.Model) -> Floats | None:
    """Dropout's weights, which stood in three places over the years; None if there are none, or all are one."""
    places = [booster.weight_drop, model.weight_drop]
    if isinstance(booster, fields.Dart):
        places.append(booster.gbtree.weight_drop)
    found = [weights for weights in places if weights is not UNSET]
    if not found:
        return None
    if len(found) > 1 or len(found[0]) != len(model.trees) or {type(weight) for weight in found[0]} != {float}:
        raise ModelRefused("the model file is damaged: weight_drop is not one number for each of its trees")
    with np.errstate(over="ignore"):
        weights = np.array(found[0], np.float32)
    if not np.isfinite(weights).all():
        raise ModelRefused("the model file is damaged: weight_drop is not finite")
    return None if (weights == 1).all() else weights


def _base_score(text: str, objective: Objective, outputs: int) -> Floats:
    """One raw score for each output: since XGBoost 3.1 the file has as many, before always one."""
    if not re.fullmatch(r"[-+.,0-9eE\[\]]{1,1000000}", text):
        raise ModelRefused(f"the model's base score is {text!r:.100}, which is not a finite number")
    stated = json.loads(text)
    with np.errstate(over="ignore"):
        stated = np.atleast_1d(np.array(stated, np.float32))
    if stated.shape not in ((1,), (outputs,)):
        raise ModelRefused(
            f"the model's base score is {text!r:.100}; it predicts {outputs} output{'s' * (outputs > 1)}"
        )
    scores = np.array([objective.link.score(value) for value in stated], np.float32)
    if not (np.isfinite(stated) & np.isfinite(scores)).all():
        raise ModelRefused(f"the model's base score is {text!r:.100}, which is no finite number in its raw score")
    return np.broadcast_to(scores, outputs).copy()
