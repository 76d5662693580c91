"""The model card: what a person should know before trusting the model, written from the run's own figures."""

from collections.abc import Iterator

from training.fitting import scores
from training.fitting.estimators import CONSTANT, PLAIN
from training.fitting.facts import Facts

CARD_NAME = "MODEL_CARD.md"


def render(facts: Facts) -> str:
    """The card as Markdown."""
    return "\n".join([*_head(facts), *_data(facts), *_model(facts), *_figures(facts), *_sureness(facts), *_use(facts)])


def _head(facts: Facts) -> Iterator[str]:
    table = facts.table
    unit = f" All errors below are in the target's unit, {table.target.unit}." if table.target.unit else ""
    yield f"# Model card: {table.name}\n"
    if table.description:
        yield f"{table.description}\n"
    yield f"Gradient-boosted trees (XGBoost {facts.xgboost_version}, `{table.objective}`).{unit}\n"
    yield "| | |\n|---|---|"
    for title, value in (
        ("Trained", facts.trained_at),
        ("MLflow run", f"`{facts.run_id}`"),
        ("Git revision", f"`{facts.git_revision}`"),
        ("Table", f"{table.title or table.name}; sha256 of its description `{facts.table_sha256}`"),
        ("Target", f"`{table.target.column}`"),
        ("Seed", str(facts.seed)),
    ):
        yield f"| {title} | {value} |"
    yield ""


def _data(facts: Facts) -> Iterator[str]:
    split = facts.table.split
    ways = {
        "random": "at random (seed 42)",
        "group": f"by whole groups of `{split.column}`",
        "time": f"as the last ones by `{split.column}`",
    }
    source = f" Source: {facts.table.source}." if facts.table.source else ""
    yield "## Data\n"
    yield f"{facts.data_rows:,} rows from {facts.data_source}; sha256 of the values `{facts.data_sha256}`.{source}"
    yield f"{facts.test_rows:,} rows were held out {ways[split.by]} before anything else was done."
    yield from _samples(facts)
    if facts.repeated_rows:
        about = "About " if facts.sampled else ""
        repeat = "row repeats another, and is" if facts.repeated_rows == 1 else "rows repeat others, and are"
        yield f"{about}{facts.repeated_rows:,} {repeat} on the same side."
    if not facts.table.cleaning:
        yield f"{facts.train_rows:,} rows were left to train on.\n"
        return
    yield f"{facts.train_rows:,} of the other rows were left to train on after cleaning by fixed rules:\n"
    yield "| Rule | Dropped where | Training rows removed | Why |\n|---|---|---:|---|"
    for rule in facts.table.cleaning:
        yield f"| `{rule.name}` | `{rule.drop}` | {facts.removed[rule.name]:,} | {rule.reason} |"
    yield ""


def _samples(facts: Facts) -> Iterator[str]:
    """What was made of samples where not all rows were in memory."""
    if (sampled := facts.sampled) is None:
        return
    yield f"The table was read in {sampled.parts} parts, never as a whole: the model learned from all training rows,"
    yield "and the ranges below are theirs. The rest is of samples, in which rows that are the same are all or none:"
    yield f"{sampled.search:,} training rows for the search, the plain models and the deciles that drift is measured"
    yield f"against; {sampled.choose:,} rows that no model learned from, to choose among the best candidates, which"
    yield f"learned from all rows; {sampled.calibrate:,} others to set the interval or the set on; and"
    yield f"{sampled.held_out:,} held-out rows for all figures and the comparison with the champion."


def _model(facts: Facts) -> Iterator[str]:
    yield "## Model\n"
    sample = f" of {facts.sampled.search:,} rows" if facts.sampled else ""
    how = f"cross-validated over {facts.folds} folds{sample}"
    yield f"The best of {facts.candidates} candidates of a random search, {how}:\n"
    yield "| Hyperparameter | Value |\n|---|---:|"
    for name, value in sorted(facts.parameters.items()):
        yield f"| `{name}` | {value if isinstance(value, str) else f'{value:g}'} |"
    yield ""


def _figures(facts: Facts) -> Iterator[str]:
    kind, m = facts.table.target.kind, facts.metrics
    titles = scores.titles(kind)
    decisive, title = next(iter(titles.items()))
    plain, constant = plain_titles(kind)
    yield "## How good it is\n"
    which = f"{facts.sampled.held_out:,} of the" if facts.sampled else "all"
    yield f"On {which} held-out rows, which neither fitting nor choosing saw; no rule cleaned them, since a service"
    yield "meets every row:\n"
    yield f"| | {' | '.join(titles.values())} |"
    yield f"|---|{'---:|' * len(titles)}"
    for row, prefix in (("**this model**", ""), (plain, PLAIN), (constant, CONSTANT)):
        figures = " | ".join(f"{m[f'{prefix}test_{name}']:.4f}" for name in titles)
        yield f"| {row} | {figures} |"
    yield ""
    sample = "a sample of the" if facts.sampled else "the"
    yield f"Cross-validated on {sample} training rows, the {title} is {m['cv_score']:.4f} (standard deviation over the"
    yield f"folds {m['cv_score_std']:.4f})."
    groups = facts.table.groups
    if groups and f"groups_cv_{decisive}" in m:
        why = f": {groups.reason}" if groups.reason else ""
        yield f"It is {m[f'groups_cv_{decisive}']:.4f} when {groups.name} are held out instead{why}."
    yield ""


def plain_titles(kind: str) -> tuple[str, str]:
    """What the two plain models are called."""
    return ("linear regression", "mean") if kind == "number" else ("logistic regression", "shares of the classes")


def _sureness(facts: Facts) -> Iterator[str]:
    m = facts.metrics
    if facts.interval is not None:
        fifths = ", ".join(f"{m[key]:.1%}" for key in sorted(m) if key.startswith("interval_coverage_fifth_"))
        yield "**90 % interval**: its width follows the prediction. Set on"
        yield f"{_set_on(facts, 'predictions')},"
        yield f"in {len(facts.interval.low)} bins (split conformal in each), it holds the true value of"
        yield f"{m['interval_coverage']:.1%} of the held-out rows; by fifths of the prediction, the lowest first:"
        yield f"{fifths}. It is {m['interval_mean_width']:.4f} wide on average; one width for all rows would be"
        yield f"{m['interval_constant_width']:.4f}.\n"
    if facts.label_threshold is not None:
        yield f"**90 % set**: the labels of a probability of at least {facts.label_threshold:.4f}, and always the most"
        yield f"probable one. Set on {_set_on(facts, 'probabilities')} (split conformal), it holds the true"
        yield f"label of {m['set_coverage']:.1%} of the held-out rows, with {m['set_mean_size']:.2f} labels on average."
        yield ""


def _set_on(facts: Facts, predicted: str) -> str:
    if facts.sampled:
        return f"the {predicted} of {facts.sampled.calibrate:,} rows that the model has not learned from"
    return f"the training rows' out-of-fold {predicted}"


def _use(facts: Facts) -> Iterator[str]:
    card = facts.table.card
    yield "## Where it may be used\n"
    if facts.ranges:
        yield "| Feature | Lowest in training | Highest in training |\n|---|---:|---:|"
        for name, (low, high) in facts.ranges.items():
            yield f"| {name} | {low:.6g} | {high:.6g} |"
        yield "\nOutside these ranges a prediction is an extrapolation: trees answer with the value at the edge.\n"
    if card.use:
        yield f"**Meant for** {card.use}.\n"
    if card.misuse:
        yield f"**Not meant for** {card.misuse}.\n"
    yield from (f"- {limit}" for limit in card.limits)
    yield ""
