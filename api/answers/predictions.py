"""The hot path: `POST /predict` and `POST /predict/batch`, from body bytes to answer bytes.

Plain ASGI rather than typed Litestar handlers, whose argument parsing costs as much as the prediction itself: measured
with `make bench`. Decoders and the encoder are made once.
"""

from typing import TypeVar

import msgspec
from litestar.types import HTTPScope, Receive

from api.answers.bodies import Batch, BatchItem, BatchPrediction, Interval, Prediction
from api.answers.faults import invalid
from api.http.messages import BodyReader, Reply
from api.http.problems import UNREADABLE, ProblemError, malformed
from api.model.batching import Answer, Batcher, Row
from api.model.schema import FEATURES, Features

MAX_BODY_BYTES = 64 * 1024
MAX_BATCH_BODY_BYTES = 8 * 2**20
"""Ten thousand rows, written with generous white space."""

Decoded = TypeVar("Decoded")

_encode = msgspec.json.Encoder().encode
_features = msgspec.json.Decoder(Features)
_batch = msgspec.json.Decoder(Batch)
_astuple = msgspec.structs.astuple


class Predictions:
    """Answers the two prediction endpoints with one model."""

    def __init__(self, batcher: Batcher, version: str, half_width: float | None) -> None:
        self.batcher = batcher
        self.version = version
        self.half_width = half_width
        self.bodies = BodyReader()

    async def single(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /predict`: one block group."""
        row = await self.read_row(scope, receive)
        answer = await self.batcher.predict(row)
        return Reply(
            200,
            _encode(
                Prediction(
                    median_house_value=answer.value,
                    interval=self.interval(answer.value),
                    extrapolated=answer.extrapolated,
                    model_version=self.version,
                )
            ),
        )

    async def read_row(self, scope: HTTPScope, receive: Receive) -> Row:
        """Read and check a body that holds one block group.

        Raises:
            ProblemError: 400, 413, 415, 422.
        """
        body = await self.bodies.read_json(scope, receive, MAX_BODY_BYTES)
        features = _decode(body, _features)
        _refuse_duplicates(body, 1)
        return _astuple(features)

    async def batch(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /predict/batch`: many block groups, answered in order."""
        body = await self.bodies.read_json(scope, receive, MAX_BATCH_BODY_BYTES)
        rows = _decode(body, _batch).rows
        _refuse_duplicates(body, len(rows), wrapping=1)
        answers = await self.batcher.predict_many([_astuple(row) for row in rows])
        return Reply(
            200, _encode(BatchPrediction(predictions=[self._item(a) for a in answers], model_version=self.version))
        )

    def interval(self, value: float) -> Interval | None:
        """The 90 % prediction interval around a value; None if the model was not calibrated."""
        if self.half_width is None:
            return None
        return Interval(low=value - self.half_width, high=value + self.half_width)

    def _item(self, answer: Answer) -> BatchItem:
        return BatchItem(
            median_house_value=answer.value,
            interval=self.interval(answer.value),
            extrapolated=answer.extrapolated,
        )


def _decode(body: bytes, decoder: msgspec.json.Decoder[Decoded]) -> Decoded:
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise invalid(body, decoder.type, error) from error
    except UNREADABLE as error:
        raise malformed(body, error) from error


def _refuse_duplicates(body: bytes, rows: int, wrapping: int = 0) -> None:
    """Refuse a field that is given twice.

    JSON leaves open which one counts, and the decoder takes the last. A body that has passed the decoder holds only
    known names and numbers, neither of which has a colon of its own.
    """
    if body.count(b":") != rows * len(FEATURES) + wrapping:
        raise ProblemError(422, "A field is given more than once; send each of the eight features once.")
