"""What a person sees at the end of a command: short tables."""

from collections.abc import Sequence

from rich.table import Table

from api.model.schema import TARGET_UNIT
from api.store.manifest import Manifest
from training.fitting.facts import Facts


def trained(version: str, facts: Facts) -> Table:
    """The best parameters, and the model beside the baselines."""
    metrics = facts.metrics
    parameters = ", ".join(f"{name} {value:g}" for name, value in sorted(facts.parameters.items()))
    spatial = f"; spatial blocks {metrics['spatial_cv_rmse']:.4f}" if "spatial_cv_rmse" in metrics else ""
    table = Table(
        title=f"Version {version}: {parameters}",
        caption=f"Errors in {TARGET_UNIT}. "
        f"Cross-validation RMSE {metrics['cv_rmse']:.4f} ± {metrics['cv_rmse_std']:.4f}{spatial}.\n"
        f"90 % interval: ± {metrics['interval_half_width']:.4f}, "
        f"holds {metrics['interval_coverage']:.1%} of held-out values.",
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("Held-out rows", no_wrap=True)
    for rows in ("all", "clean"):
        for name in ("RMSE", "MAE", "R²"):
            table.add_column(f"{name}\n{rows}", justify="right")
    for title, prefix in (("this model", ""), ("linear regression", "linear_"), ("mean", "mean_")):
        keys = [f"{prefix}{rows}_{name}" for rows in ("test", "clean_test") for name in ("rmse", "mae", "r2")]
        table.add_row(title, *(f"{metrics[key]:.4f}" for key in keys))
    return table


def versions(manifests: Sequence[Manifest], latest: str | None) -> Table:
    """The published versions with their figures, and which is live."""
    table = Table()
    for name in ("Version", "Trained (UTC)", "RMSE", "MAE", "R²", "Interval\n90 %", "holds\nin test"):
        table.add_column(name, justify="right", no_wrap=True)
    for found in manifests:
        version = f"latest → {found.model_version}" if found.model_version == latest else found.model_version
        keys = ("test_rmse", "test_mae", "test_r2", "interval_half_width", "interval_coverage")
        figures = [f"{found.metrics[key]:.4f}" if key in found.metrics else "-" for key in keys]
        table.add_row(version, found.trained_at[:16].replace("T", " "), *figures)
    return table
