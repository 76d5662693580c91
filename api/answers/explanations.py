"""`POST /explain`: a prediction, and how far each feature pushed it up or down."""

import msgspec
import numpy as np
from litestar.types import HTTPScope, Receive

from api.answers.bodies import Explanation
from api.answers.predictions import Predictions
from api.http.messages import Reply
from api.model.schema import FEATURES


class Explanations:
    """Answers with the predictions' own model, body rules and limits."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions

    async def single(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /explain`: one block group."""
        row = await self.predictions.read_row(scope, receive)
        answer = await self.predictions.batcher.predict(row)
        *pushes, base = self.predictions.batcher.model.explain(np.array([row], np.float32))[0].tolist()
        return Reply(
            200,
            msgspec.json.encode(
                Explanation(
                    median_house_value=answer.value,
                    interval=self.predictions.interval(answer.value),
                    extrapolated=answer.extrapolated,
                    base_value=base,
                    contributions=dict(zip(FEATURES, pushes, strict=True)),
                    model_version=self.predictions.version,
                )
            ),
        )
