"""The hot path: `POST /predict` and `POST /predict/batch`, from body bytes to answer bytes.

Plain ASGI rather than typed Litestar handlers, whose argument parsing costs as much as the prediction itself: measured
with `make bench`. Decoders and the encoder are made once.
"""

import msgspec
from litestar.types import HTTPScope, Receive

from api.answers.answering import make_fields_of, make_items_of
from api.answers.bodies import Bodies
from api.answers.endpoint import Endpoint
from api.http.front import End
from api.http.messages import BodyReader, Reply, check_json
from api.model.answers import Answer, Answers, Row, SentRows
from api.model.batching import Batcher
from api.rows.faults import MAX_BATCH_BODY_BYTES, MAX_BATCH_ROWS
from api.rows.fields import lowered
from api.rows.reader import RowReader
from api.watch.capture import Capture

MAX_BODY_BYTES = 64 * 1024

_encode = msgspec.json.Encoder().encode


class Predictions:
    """Answers the two prediction endpoints with one model."""

    def __init__(self, batcher: Batcher, reader: RowReader, bodies: Bodies, capture: Capture) -> None:
        self.batcher = batcher
        self.model = batcher.model
        self.reader = reader
        self.bodies = bodies
        self.capture = capture
        self.receiver = BodyReader()
        self.fields = make_fields_of(self.model, bodies.interval)
        self.items = make_items_of(self.model, bodies.interval, bodies.item)

    async def single(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /predict`: one row."""
        row = await self.read_row(scope, receive)
        answer = await self.batcher.predict(row)
        self._keep(scope["state"]["request_id"], row, answer)
        return self._reply(answer)

    def direct(self, scope: HTTPScope, body: bytes, end: End) -> None:
        """The same for a body that has arrived whole: `end` is called with the reply when the row is predicted.

        Raises:
            ProblemError: 400, 413, 415, 422.
            OverloadedError: too many rows are waiting.
        """
        check_json(scope["headers"], body, MAX_BODY_BYTES)
        row = self.reader.one(body)

        def predicted(outcome: Answer | Exception) -> None:
            try:
                if not isinstance(outcome, Exception):
                    self._keep(scope["state"]["request_id"], row, outcome)
                reply = outcome if isinstance(outcome, Exception) else self._reply(outcome)
            except Exception as error:  # noqa: BLE001 (the others of its turn are still answered)
                reply = error
            end(reply)

        self.batcher.submit(row, predicted)

    def _reply(self, answer: Answer) -> Reply:
        return Reply(200, _encode(self.bodies.prediction(**self.fields(answer), model_version=self.model.version)))

    def _keep(self, request_id: str, row: Row, answer: Answer) -> None:
        if self.capture.chooses():
            self.capture.take(request_id, [row], [answer], self._item)

    def keep_many(self, request_id: str, rows: SentRows, answers: Answers) -> None:
        """Let an answered request be captured, if it is one of those that are."""
        if self.capture.chooses():
            self.capture.take(request_id, list(map(tuple, rows.tolist())), answers.one_by_one(), self._item)

    def _item(self, answer: Answer) -> msgspec.Struct:
        body: msgspec.Struct = self.bodies.item(**self.fields(answer))
        return body

    async def read_row(self, scope: HTTPScope, receive: Receive) -> Row:
        """Read and check a body that holds one row.

        Raises:
            ProblemError: 400, 413, 415, 422.
        """
        return self.reader.one(await self.receiver.read_json(scope, receive, MAX_BODY_BYTES))

    async def batch(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /predict/batch`: many rows, answered in order."""
        rows = self.reader.many(await self.receiver.read_json(scope, receive, MAX_BATCH_BODY_BYTES))
        answers = await self.batcher.predict_many(rows)
        self.keep_many(scope["state"]["request_id"], rows, answers)
        body = self.bodies.batch_prediction(predictions=self.items(answers), model_version=self.model.version)
        return Reply(200, _encode(body))

    def endpoints(self) -> tuple[Endpoint, Endpoint]:
        """Both, with what the documents say of them."""
        schema = self.model.schema
        short, what = lowered(schema.target.short or schema.target.label), lowered(schema.target.label)
        return (
            Endpoint(
                path="/predict",
                answer=self.single,
                direct=self.direct,
                operation_id="predict",
                summary=f"Predict one {short}",
                description=f"Predict the {what} of one {schema.row}.",
                reads=self.reader.features,
                writes=self.bodies.prediction,
                answered="The prediction.",
                limit=MAX_BODY_BYTES,
                refused=self.reader.refused(),
            ),
            Endpoint(
                path="/predict/batch",
                answer=self.batch,
                operation_id="predict_batch",
                summary=f"Predict many {short}s",
                description=f"Predict 1 to {MAX_BATCH_ROWS:,} {schema.plural}, answered in order.",
                reads=self.reader.batch,
                writes=self.bodies.batch_prediction,
                answered="The predictions, in the order of the rows.",
                limit=MAX_BATCH_BODY_BYTES,
                refused=self.reader.refused(),
            ),
        )
