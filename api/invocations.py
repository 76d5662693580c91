"""`POST /invocations`: what MLflow's scoring server answers, for clients of MLflow and SageMaker.

What is accepted follows MLflow's handling of the model's signature, not the feature schema: columns go by name, others
are ignored, and no bounds are checked. One thing is refused that MLflow takes: a missing value, for which XGBoost would
predict whatever the training data never showed it.
"""

import csv
import io
from collections.abc import Callable
from itertools import islice
from typing import Annotated, Any

import msgspec
import numpy as np
import numpy.typing as npt
from litestar.types import HTTPScope, Receive
from msgspec import Meta

from api.batching import Row
from api.messages import Reply
from api.predictions import MAX_BATCH_BODY_BYTES, Predictions
from api.problems import UNREADABLE
from api.schemas import EXAMPLE, EXAMPLE_VALUE, FEATURES, MAX_BATCH_ROWS

BAD_REQUEST = "BAD_REQUEST"
"""MLflow's code for a body that cannot be read."""
INVALID = "INVALID_PARAMETER_VALUE"
"""MLflow's code for a body that does not fit the model's signature."""

_Record = dict[str, float]
_Columns = dict[str, list[Any]]


class Split(msgspec.Struct):
    """A data frame as pandas writes it with `orient="split"`."""

    columns: Annotated[list[str], Meta(description="The eight features, in any order.", examples=[list(FEATURES)])]
    data: Annotated[list[list[float]], Meta(description="Rows, in that order.", examples=[[list(EXAMPLE.values())]])]
    index: Annotated[list[int | str] | None, Meta(description="Not used.", examples=[[0]])] = None


class Invocation(msgspec.Struct, omit_defaults=True):
    """Exactly one of the four formats of MLflow's scoring protocol."""

    dataframe_split: Split | None = None
    dataframe_records: Annotated[list[_Record], Meta(description="One object a row.", examples=[[EXAMPLE]])] = []
    instances: Annotated[list[_Record], Meta(description="As TensorFlow Serving's rows.", examples=[[EXAMPLE]])] = []
    inputs: Annotated[
        dict[str, float | list[float]] | list[_Record],
        Meta(description="As TensorFlow Serving's columns.", examples=[{name: [EXAMPLE[name]] for name in EXAMPLE}]),
    ] = []


class InvocationPredictions(msgspec.Struct):
    """The predictions, in the order of the rows."""

    predictions: Annotated[list[float], Meta(description="In 100,000 USD of 1990.", examples=[[EXAMPLE_VALUE]])]


class InvocationError(msgspec.Struct):
    """Why a request was refused, in MLflow's words."""

    error_code: Annotated[str, Meta(description="MLflow's name for the kind of error.", examples=[INVALID])]
    message: Annotated[str, Meta(description="What is wrong.", examples=["Model is missing inputs ['MedInc']."])]


class InvocationRefused(Exception):
    """Ends a request with an `InvocationError`."""

    def __init__(self, message: str, error_code: str = BAD_REQUEST) -> None:
        super().__init__(message)
        self.document = InvocationError(error_code, message)


class Invocations:
    """Answers with the predictions' own model and limits."""

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions

    async def answer(self, scope: HTTPScope, receive: Receive) -> Reply:
        """`POST /invocations`: up to 10,000 rows, as JSON or CSV."""
        sent = b"".join(value for name, value in scope["headers"] if name == b"content-type").decode("latin-1")
        kind, *parameters = (part.strip() for part in sent.split(";"))
        if kind not in _READERS or [p for p in parameters if p.lower() != "charset=utf-8"]:
            message = f"Content-Type {sent[:64]!r} is not supported; send application/json or text/csv, in UTF-8."
            return Reply(415, message.encode(), b"text/plain; charset=utf-8")
        body = await self.predictions.bodies.read(scope, receive, MAX_BATCH_BODY_BYTES)
        try:
            rows = _rows(_READERS[kind](body))
        except InvocationRefused as refused:
            return Reply(400, msgspec.json.encode(refused.document))
        answers = await self.predictions.batcher.predict_many(rows)
        return Reply(200, msgspec.json.encode(InvocationPredictions([answer.value for answer in answers])))


def _from_json(body: bytes) -> _Columns:
    try:
        sent = msgspec.json.decode(body)
    except UNREADABLE as error:
        hint = " This service needs finite numbers." if b"NaN" in body or b"Infinity" in body else ""
        raise InvocationRefused(f"Ensure that input is a valid JSON formatted string. Error: {error}.{hint}") from error
    given = [name for name in FORMATS if name in sent] if isinstance(sent, dict) else []
    if len(given) != 1:
        raise InvocationRefused(
            f"The input must be a JSON dictionary with exactly one of the input fields {', '.join(FORMATS)}."
        )
    return FORMATS[given[0]](sent[given[0]])


def _from_csv(body: bytes) -> _Columns:
    try:
        lines = (line for line in csv.reader(io.StringIO(body.decode())) if line)
        names, *data = islice(lines, MAX_BATCH_ROWS + 2)
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise InvocationRefused(f"Send CSV with a line of column names first, in UTF-8. Error: {error}") from error
    return _from_split({"columns": names, "data": data})


def _from_split(sent: Any) -> _Columns:
    if not isinstance(sent, dict) or not {"data"} <= set(sent) <= {"columns", "data", "index"}:
        raise InvocationRefused(
            "Dataframe split format must be a dictionary with a 'data' field and optionally 'columns' and 'index'."
        )
    data, names = sent["data"], sent.get("columns")
    if not isinstance(data, list) or not all(isinstance(row, list) for row in data):
        raise InvocationRefused("The 'data' of a dataframe_split must be a list of rows, each a list of values.")
    if names is None:
        raise _missing([])
    if not isinstance(names, list) or any(len(row) != len(names) for row in data):
        raise InvocationRefused("The rows of a dataframe_split must have one value for each of its 'columns'.")
    twice = [name for name in FEATURES if names.count(name) > 1]
    if twice:
        raise InvocationRefused(f"The columns {twice} are given more than once.", INVALID)
    columns = list(zip(*data, strict=True)) or [()] * len(names)
    return {name: list(column) for name, column in zip(names, columns, strict=True) if name in FEATURES}


def _from_records(sent: Any) -> _Columns:
    if not isinstance(sent, list):
        raise InvocationRefused("Dataframe records format must be a list of records.")
    if not any(isinstance(row, dict) for row in sent):
        raise _missing([])
    if not all(isinstance(row, dict) for row in sent):
        raise InvocationRefused("Each record must be a dictionary of values by column name.")
    present = {name for row in sent for name in row}
    return {name: [row.get(name) for row in sent] for name in FEATURES if name in present}


def _from_tensors(sent: Any) -> _Columns:
    """`instances` and `inputs`: a list of records, or values or lists of values by name."""
    if isinstance(sent, list):
        return _from_records(sent)
    if not isinstance(sent, dict):
        raise _missing([])
    given = {name: sent[name] for name in FEATURES if name in sent}
    lengths = {len(values) for values in given.values() if isinstance(values, list)}
    if len(lengths) > 1:
        raise InvocationRefused("The length of values for each input/column name are not the same.", INVALID)
    rows = lengths.pop() if lengths else 1
    return {name: values if isinstance(values, list) else [values] * rows for name, values in given.items()}


FORMATS: dict[str, Callable[[Any], _Columns]] = {
    "dataframe_split": _from_split,
    "dataframe_records": _from_records,
    "instances": _from_tensors,
    "inputs": _from_tensors,
}
_READERS = {"application/json": _from_json, "text/csv": _from_csv}


def _rows(columns: _Columns) -> list[Row]:
    """The model's rows, from columns by name."""
    if len(columns) < len(FEATURES):
        raise _missing(columns)
    count = len(columns[FEATURES[0]])
    if count > MAX_BATCH_ROWS:
        raise InvocationRefused(f"More than {MAX_BATCH_ROWS} rows; send them in several requests.")
    table = np.stack([_numbers(name, columns[name]) for name in FEATURES], axis=1)
    for row, column in np.argwhere(~np.isfinite(table))[:1]:
        raise InvocationRefused(
            f"Column {FEATURES[column]} of row {row} is missing or not finite; this service needs finite numbers."
        )
    return [tuple(row) for row in table.tolist()]


def _numbers(name: str, values: list[Any]) -> npt.NDArray[np.float32]:
    """One column, converted as MLflow does: numbers in strings and booleans count, None is not a number."""
    try:
        numbers = np.array(values, np.float64)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvocationRefused(f"Failed to convert column {name} to type 'float64'. Error: {error}") from error
    if numbers.ndim != 1:
        raise InvocationRefused(f"Failed to convert column {name} to type 'float64'. Error: it holds lists.")
    with np.errstate(over="ignore"):
        return numbers.astype(np.float32)


def _missing(given: Any) -> InvocationRefused:
    missing = [name for name in FEATURES if name not in given]
    return InvocationRefused(f"Model is missing inputs {missing}.", INVALID)
