"""BentoML as its documentation shows it: a batchable API over an XGBoost model."""

import os

import bentoml
import numpy as np
import xgboost
from pydantic import BaseModel


class Features(BaseModel):
    """The request body."""

    MedInc: float
    HouseAge: float
    AveRooms: float
    AveBedrms: float
    Population: float
    AveOccup: float
    Latitude: float
    Longitude: float


@bentoml.service(workers=1, traffic={"timeout": 60})
class Housing:
    """Predicts house values."""

    def __init__(self) -> None:
        self.booster = xgboost.Booster(model_file=os.environ["MODEL_PATH"] + "/model.ubj")
        self.booster.set_param({"nthread": 1})

    @bentoml.api(batchable=True, max_batch_size=64, max_latency_ms=1000, route="/predict_batch")
    def predict_batch(self, rows: list[Features]) -> list[float]:
        """Predict what adaptive batching has gathered."""
        array = np.array([list(row.model_dump().values()) for row in rows], np.float32)
        return self.booster.inplace_predict(array, validate_features=False).tolist()

    @bentoml.api(route="/predict")
    def predict(self, features: Features) -> dict[str, float]:
        """Predict one row."""
        array = np.array([list(features.model_dump().values())], np.float32)
        return {"median_house_value": float(self.booster.inplace_predict(array, validate_features=False)[0])}
