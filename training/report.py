"""What a person sees at the end of a command: short tables, no wider than a terminal of 80 columns."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from api.store.manifest import Manifest
from training.fitting import scores
from training.fitting.card import plain_titles
from training.fitting.estimators import CONSTANT, PLAIN
from training.fitting.facts import Facts

DIGEST = 8
"""Characters of a digest that tell one from another."""


def trained(version: str, facts: Facts) -> Group:
    """The best parameters, and the model beside the plain ones."""
    metrics, target = facts.metrics, facts.table.target
    titles = scores.titles(target.kind)
    parameters = ", ".join(f"{name} {_shown(value)}" for name, value in sorted(facts.parameters.items()))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{facts.judged_rows:,} held-out rows", no_wrap=True)
    for name in titles.values():
        table.add_column(name, justify="right")
    plain, constant = plain_titles(target.kind)
    for title, prefix in (("this model", ""), (plain, PLAIN), (constant, CONSTANT)):
        table.add_row(title, *(f"{metrics[f'{prefix}test_{name}']:.4f}" for name in titles))
    return Group(f"Version {version}: {parameters}", table, *_beside(facts))


def _beside(facts: Facts) -> list[str]:
    metrics, target = facts.metrics, facts.table.target
    decisive, title = next(iter(scores.titles(target.kind).items()))
    lines = [f"Errors in {target.unit}."] if target.unit else []
    groups = ""
    if facts.table.groups and f"groups_cv_{decisive}" in metrics:
        groups = f", {metrics[f'groups_cv_{decisive}']:.4f} in unseen {facts.table.groups.name}"
    sample = f" of a sample of {facts.sampled.search:,} rows" if facts.sampled else ""
    score = f"{metrics['cv_score']:.4f} ± {metrics['cv_score_std']:.4f}"
    lines.append(f"Cross-validated {title} {score} in random folds{sample}{groups}.")
    if "interval_coverage" in metrics:
        lines.append(
            f"90 % intervals are {metrics['interval_mean_width']:.4f} wide on average, "
            f"and hold {metrics['interval_coverage']:.1%} of held-out values."
        )
    if "set_coverage" in metrics:
        lines.append(
            f"90 % sets have {metrics['set_mean_size']:.2f} labels on average, "
            f"and hold {metrics['set_coverage']:.1%} of held-out ones."
        )
    return lines


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def versions(manifests: Sequence[Manifest], latest: str | None) -> Table:
    """The published versions with their figures, and which is live."""
    kinds = {found.schema.target.kind == "number" for found in manifests}
    titles = {name: title for number in sorted(kinds) for name, title in _titles(number).items()}
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        caption="holds: how often the 90 % interval or set held the truth; table: its description's digest",
    )
    for name in ("Version", "Trained (UTC)", *titles.values(), "holds", "table"):
        table.add_column(name, justify="right", no_wrap=True)
    for found in manifests:
        version = f"latest → {found.model_version}" if found.model_version == latest else found.model_version
        figures = [f"{found.metrics[key]:.4f}" if key in found.metrics else "-" for key in titles]
        held = [found.metrics[key] for key in ("interval_coverage", "set_coverage") if key in found.metrics]
        trained_at = found.trained_at[:16].replace("T", " ")
        holds = f"{held[0]:.1%}" if held else "-"
        table.add_row(version, trained_at, *figures, holds, found.table_sha256[:DIGEST] or "-")
    return table


def _titles(number: bool) -> dict[str, str]:
    """The columns of a kind: the two scores that say most."""
    return (
        {"test_rmse": "RMSE", "test_r2": "R²"} if number else {"test_log_loss": "Log loss", "test_accuracy": "Accuracy"}
    )
