"""The product from one end to the other: dataset, training, registry, S3, service, prediction."""

from pathlib import Path

import numpy as np
import pytest
import xgboost

from api.store.manifest import LATEST
from tests.buckets import create_bucket
from tests.california import FEATURES, MODELS_PREFIX, TABLE
from tests.conftest import training
from tests.running import Serve
from training.rows.data import load


@pytest.mark.parametrize("prefix", ["", "/team/a"], ids=["bucket", "prefix"])
def test_dataset_to_prediction_through_s3(store: Path, moto_url: str, serve: Serve, prefix: str) -> None:
    """A model trained on the dataset, registered and published to S3 is served, and predicts what XGBoost does.

    Below a prefix too, with which MODEL_PATH then begins.
    """
    bucket = create_bucket(f"whole-path{prefix.replace('/', '-')}")
    done = training("publish", "--store", f"s3://{bucket}{prefix}", cwd=store.parent)
    assert done.returncode == 0, done.stderr

    service = serve(MODEL_BUCKET=bucket, MODEL_PATH=f"{prefix}/{MODELS_PREFIX}/{LATEST}".lstrip("/"))
    rows = load(TABLE).table[list(FEATURES)].head(50)
    with service.client() as client:
        assert client.get("/ready").json() == {
            "status": "ready",
            "model_name": "california-housing",
            "model_version": "1",
        }
        answers = [client.post("/predict", json=row).json() for row in rows.to_dict("records")]
    assert any("known answers reproduced" in line.get("message", "") for line in service.lines())

    booster = xgboost.Booster(model_file=store / MODELS_PREFIX / "1" / "model.ubj")
    served = np.array([answer["median_house_value"] for answer in answers], np.float32)
    np.testing.assert_array_equal(served, booster.predict(xgboost.DMatrix(rows)))
    assert service.stop() == 0
