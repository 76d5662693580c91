"""`POST /explain`: a prediction, and how far each feature pushed it up or down."""

from typing import Any
from urllib.parse import parse_qs

import msgspec
import numpy as np
from litestar.types import HTTPScope, Receive

from api.answers.endpoint import Endpoint
from api.answers.predictions import MAX_BODY_BYTES, Predictions
from api.http.messages import Reply
from api.http.problems import ProblemError
from api.model.classes import class_probabilities, most_probable


class Explanations:
    """Answers with the predictions' own model, body rules and limits."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        self.schema = predictions.model.schema
        self.names = self.schema.names
        self.classes = self.schema.target.classes if predictions.model.trees.n_outputs > 1 else ()

    async def single(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /explain`: one row; of several classes for the predicted one, or the one that `?class=` names."""
        predictions = self.predictions
        asked = self._asked(scope["query_string"])
        row = await predictions.read_row(scope, receive)
        answer = await predictions.batcher.predict(row)
        pushes = predictions.model.explain(np.array([row], np.float32))[0]
        explained: dict[str, Any] = {}
        if self.classes:
            place = most_probable(class_probabilities(answer.value)) if asked is None else asked
            pushes, explained = pushes[place], {"explained_class": self.classes[place]}
        *contributions, base = pushes.tolist()
        body = predictions.bodies.explanation(
            **predictions.fields(answer),
            **explained,
            base_value=base,
            contributions=dict(zip(self.names, contributions, strict=True)),
            model_version=predictions.model.version,
        )
        return Reply(200, msgspec.json.encode(body))

    def _asked(self, query: bytes) -> int | None:
        names = parse_qs(query.decode("latin-1"), keep_blank_values=True).get("class", []) if self.classes else []
        if not names:
            return None
        if names[-1] not in self.classes:
            raise ProblemError(422, f"There is no class {names[-1][:64]!r}; there are {', '.join(self.classes[:20])}.")
        return self.classes.index(names[-1])

    def endpoint(self) -> Endpoint:
        """With what the documents say of it."""
        what = "raw score" if self.predictions.model.trees.objective.linked else "prediction"
        classes = " Of several classes the predicted one is explained, or the one named by `?class=`."
        return Endpoint(
            path="/explain",
            answer=self.single,
            operation_id="explain",
            summary="Explain a prediction",
            description=f"Predict one {self.schema.row} and tell how far each feature pushed the {what} up or down.\n\n"
            f"Base value and contributions add up to the {what}. They are XGBoost's `approx_contribs`, not SHAP."
            + (classes if self.classes else ""),
            reads=self.predictions.reader.features,
            writes=self.predictions.bodies.explanation,
            answered="The prediction and its explanation.",
            limit=MAX_BODY_BYTES,
            refused=self.predictions.reader.refused(),
        )
