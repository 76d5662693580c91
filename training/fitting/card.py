"""The model card: what a person should know before trusting the model, written from the run's own figures."""

from api.model.schema import FEATURES, TARGET_UNIT
from api.store.manifest import MODEL_NAME
from training.fitting.facts import Facts
from training.tables.cleaning import RULES

CARD_NAME = "MODEL_CARD.md"


def render(facts: Facts) -> str:
    """The card as Markdown."""
    m = facts.metrics
    removed = "\n".join(
        f"| `{rule.name}` | {rule.condition} | {facts.removed[rule.name]:,} | {rule.why} |" for rule in RULES
    )
    repeated = (
        f"{facts.repeated_rows:,} rows repeat others, and are on the same side as those. "
        if facts.repeated_rows
        else ""
    )
    parameters = "\n".join(f"| `{name}` | {value:g} |" for name, value in sorted(facts.parameters.items()))
    ranges = "\n".join("| {} | {:.6g} | {:.6g} |".format(name, *facts.ranges[name]) for name in FEATURES)
    scores = "\n".join(
        f"| {title} | " + " | ".join(f"{m[f'{prefix}test_{name}']:.4f}" for name in ("rmse", "mae", "r2")) + " |"
        for title, prefix in (("**this model**", ""), ("linear regression", "linear_"), ("mean", "mean_"))
    )
    spatial = (
        f"{m['spatial_cv_rmse']:.4f} when whole squares of one degree of latitude and longitude are held out instead, "
        "which is what to expect in a place that the data does not cover"
        if "spatial_cv_rmse" in m
        else "not measured for spatial blocks, as the rows lie in too few of them"
    )
    return f"""# Model card: {MODEL_NAME}

Predicts the median house value of a Californian census block group from eight figures about it, as of the 1990 census.
Gradient-boosted trees (XGBoost {facts.xgboost_version}, squared error). All errors below are in the target's unit,
{TARGET_UNIT}.

| | |
|---|---|
| Trained | {facts.trained_at} |
| MLflow run | `{facts.run_id}` |
| Git revision | `{facts.git_revision}` |
| Seed | {facts.seed} |

## Data

{facts.data_rows:,} rows from {facts.data_source}; sha256 of the values `{facts.data_sha256}`. California Housing is the
1990 US census by block group (Pace and Barry, "Sparse Spatial Autoregressions", Statistics and Probability Letters 33,
1997). One fifth of the rows, {facts.test_rows:,}, was held out at random (seed 42) before anything else was done.
{repeated}{facts.train_rows:,} of the other rows were left to train on after cleaning by fixed rules:

| Rule | Dropped where | Training rows removed | Why |
|---|---|---:|---|
{removed}

## Model

The best of {facts.candidates} candidates of a random search, by mean squared error over {facts.folds} folds:

| Hyperparameter | Value |
|---|---:|
{parameters}

## How good it is

On all held-out rows, which neither fitting nor choosing saw; no rule cleaned them, since a service meets every row:

| | RMSE | MAE | R² |
|---|---:|---:|---:|
{scores}

Cross-validated on the training rows, the RMSE is {m["cv_rmse"]:.4f} (standard deviation over the folds
{m["cv_rmse_std"]:.4f}) with random folds, and {spatial}.

**90 % interval**: prediction ± {m["interval_half_width"]:.4f}. Split conformal: the width was set on one half of the
held-out rows and holds the true value for {m["interval_coverage"]:.1%} of the other half. It is one width for all rows:
too wide where houses are cheap, too narrow where they are dear.

## Where it may be used

| Feature | Lowest in training | Highest in training |
|---|---:|---:|
{ranges}

Outside these ranges a prediction is an extrapolation: trees answer with the value at the edge.

**Meant for** learning, demonstrations and comparing methods on a well-known dataset.

**Not meant for** pricing a home, lending, insurance, taxation or any decision about a person:

- Prices are those of 1990, and a row is a whole block group, not a house.
- The census cut values off at 500,001 USD, and so does what the model has learned: the dearest places are predicted too
  low.
- It reads where people live and what they earn, which stand in for much else, race among it.
- It knows California alone.
"""
