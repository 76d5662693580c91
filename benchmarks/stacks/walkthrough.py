"""The usual tutorial: FastAPI, an MLflow pyfunc and a one-row DataFrame for each request."""

import os

import mlflow.pyfunc
import pandas as pd
from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
model = mlflow.pyfunc.load_model(os.environ["MODEL_PATH"])


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


@app.get("/health")
def health() -> dict[str, str]:
    """The process answers."""
    return {"status": "ok"}


@app.post("/predict")
def predict(features: Features) -> dict[str, float]:
    """Predict one row."""
    return {"median_house_value": float(model.predict(pd.DataFrame([features.model_dump()]))[0])}
