"""What a person sees at the end of a command: short tables, no wider than a terminal of 80 columns."""

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table

from api.model.schema import TARGET_UNIT
from api.store.manifest import Manifest
from training.fitting.facts import Facts


def trained(version: str, facts: Facts) -> Group:
    """The best parameters, and the model beside the baselines."""
    metrics = facts.metrics
    parameters = ", ".join(f"{name} {value:g}" for name, value in sorted(facts.parameters.items()))
    spatial = f", {metrics['spatial_cv_rmse']:.4f} in unseen squares" if "spatial_cv_rmse" in metrics else ""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(f"{facts.test_rows:,} held-out rows", no_wrap=True)
    for name in ("RMSE", "MAE", "R²"):
        table.add_column(name, justify="right")
    for title, prefix in (("this model", ""), ("linear regression", "linear_"), ("mean", "mean_")):
        table.add_row(title, *(f"{metrics[f'{prefix}test_{name}']:.4f}" for name in ("rmse", "mae", "r2")))
    return Group(
        f"Version {version}: {parameters}",
        table,
        f"Errors in {TARGET_UNIT}.",
        f"Cross-validated RMSE {metrics['cv_rmse']:.4f} ± {metrics['cv_rmse_std']:.4f} in random folds{spatial}.",
        f"90 % interval ± {metrics['interval_half_width']:.4f}, "
        f"holds {metrics['interval_coverage']:.1%} of held-out values.",
    )


def versions(manifests: Sequence[Manifest], latest: str | None) -> Table:
    """The published versions with their figures, and which is live."""
    table = Table(
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        caption="90 % ±: half the interval; holds: how often, in the test",
    )
    for name in ("Version", "Trained (UTC)", "RMSE", "MAE", "R²", "90 % ±", "holds"):
        table.add_column(name, justify="right", no_wrap=True)
    for found in manifests:
        version = f"latest → {found.model_version}" if found.model_version == latest else found.model_version
        keys = ("test_rmse", "test_mae", "test_r2", "interval_half_width", "interval_coverage")
        figures = [f"{found.metrics[key]:.4f}" if key in found.metrics else "-" for key in keys]
        table.add_row(version, found.trained_at[:16].replace("T", " "), *figures)
    return table
