"""Reads rows as clients of MLflow send them: four formats in JSON, and CSV.

What is accepted follows MLflow's handling of the model's signature, not the feature schema: columns go by name, others
are ignored, and no bounds are checked. Two things are refused that MLflow takes: a missing value where the schema has
none, for which XGBoost would predict whatever the training data never showed it, and a category that it has not.
"""

import codecs
import csv
import io
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np

from api.http.problems import UNREADABLE
from api.model.answers import SentRows
from api.rows.faults import MAX_BATCH_BODY_BYTES, MAX_BATCH_ROWS
from api.rows.fields import Field

BAD_REQUEST = "BAD_REQUEST"
"""MLflow's code for a body that cannot be read."""
INVALID = "INVALID_PARAMETER_VALUE"
"""MLflow's code for a body that does not fit the model's signature."""

FORMATS = ("dataframe_split", "dataframe_records", "instances", "inputs")

_Columns = dict[str, list[Any]]

# A column that nobody asks for may hold long texts; what bounds them is the size of the body.
csv.field_size_limit(MAX_BATCH_BODY_BYTES)
_YES_NO = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


class FrameError(Exception):
    """The body holds no rows for the model; `code` is MLflow's name for the kind of error."""

    def __init__(self, message: str, code: str = BAD_REQUEST) -> None:
        super().__init__(message)
        self.code = code


class FrameReader:
    """Reads frames with these columns into rows in the model's order.

    `unknown` is told the column's name of a text that is none of its categories.
    """

    def __init__(self, fields: Sequence[Field], unknown: Callable[[str], None]) -> None:
        self.fields = {field.name: field for field in fields}
        self.unknown = unknown
        self.formats: dict[str, Callable[[Any], _Columns]] = {
            "dataframe_split": self._from_split,
            "dataframe_records": self._from_records,
            "instances": self._from_tensors,
            "inputs": self._from_tensors,
        }

    def read_json(self, body: bytes) -> SentRows:
        """Rows from one of MLflow's four formats.

        Raises:
            FrameError: the body is not JSON, not in exactly one format, or does not fit the model.
        """
        try:
            sent = msgspec.json.decode(body.removeprefix(codecs.BOM_UTF8))
        except UNREADABLE as error:
            hint = " This service needs finite numbers." if b"NaN" in body or b"Infinity" in body else ""
            raise FrameError(f"Ensure that input is a valid JSON formatted string. Error: {error}.{hint}") from error
        given = [name for name in FORMATS if name in sent] if isinstance(sent, dict) else []
        if len(given) != 1:
            raise FrameError(
                f"The input must be a JSON dictionary with exactly one of the input fields {', '.join(FORMATS)}."
            )
        return self.rows(self.formats[given[0]](sent[given[0]]))

    def read_csv(self, body: bytes) -> SentRows:
        """Rows from CSV whose first line names the columns.

        Raises:
            FrameError: the body is not such a CSV, or does not fit the model.
        """
        try:
            # As pandas reads it: a byte order mark is none of the first name, and a line may end as on any system.
            text = io.StringIO(body.decode("utf-8-sig"), newline="")
            lines = (line for line in csv.reader(text) if len(line) > 1 or "".join(line).strip())
            names, *data = islice(lines, MAX_BATCH_ROWS + 2)
        except (UnicodeDecodeError, csv.Error, ValueError) as error:
            raise FrameError(f"Send CSV with a line of column names first, in UTF-8. Error: {error}") from error
        if any(len(line) != len(names) for line in data):
            raise FrameError(f"Each line must have {len(names)} values, one for each name in the first line.")
        # Of columns with the same name the first counts.
        unique = [None if name in names[:i] else name for i, name in enumerate(names)]
        columns = self._from_split({"columns": unique, "data": data})
        for name, values in columns.items():
            if self.fields[name].codes is None:
                _refuse_python_numbers(name, "".join(values))
            # Where a value may be missing, an empty cell is one, as pandas reads it.
            if self.fields[name].optional:
                columns[name] = [None if value == "" else value for value in values]
        return self.rows(columns)

    def _from_split(self, sent: Any) -> _Columns:
        if not isinstance(sent, dict) or not {"data"} <= set(sent) <= {"columns", "data", "index"}:
            raise FrameError(
                "Dataframe split format must be a dictionary with a 'data' field and optionally 'columns' and 'index'."
            )
        data, names = sent["data"], sent.get("columns")
        if not isinstance(data, list) or not all(isinstance(row, list) for row in data):
            raise FrameError("The 'data' of a dataframe_split must be a list of rows, each a list of values.")
        _refuse_too_many(len(data))
        if names is None:
            raise self._missing([])
        if not isinstance(names, list) or any(len(row) != len(names) for row in data):
            raise FrameError("The rows of a dataframe_split must have one value for each of its 'columns'.")
        twice = [name for name in self.fields if names.count(name) > 1]
        if twice:
            raise FrameError(f"The columns {twice} are given more than once.", INVALID)
        columns = list(zip(*data, strict=True)) or [()] * len(names)
        given = zip(names, columns, strict=True)
        return {name: list(column) for name, column in given if isinstance(name, str) and name in self.fields}

    def _from_records(self, sent: Any) -> _Columns:
        if not isinstance(sent, list):
            raise FrameError("Dataframe records format must be a list of records.")
        _refuse_too_many(len(sent))
        if not any(isinstance(row, dict) for row in sent):
            raise self._missing([])
        if not all(isinstance(row, dict) for row in sent):
            raise FrameError("Each record must be a dictionary of values by column name.")
        present = {name for row in sent for name in row}
        return {name: [row.get(name) for row in sent] for name in self.fields if name in present}

    def _from_tensors(self, sent: Any) -> _Columns:
        """`instances` and `inputs`: a list of records, or values or lists of values by name."""
        if isinstance(sent, list):
            return self._from_records(sent)
        if not isinstance(sent, dict):
            raise self._missing([])
        given = {name: sent[name] for name in self.fields if name in sent}
        lengths = {len(values) for values in given.values() if isinstance(values, list)}
        if len(lengths) > 1:
            raise FrameError("The length of values for each input/column name are not the same.", INVALID)
        rows = lengths.pop() if lengths else 1
        _refuse_too_many(rows)
        return {name: values if isinstance(values, list) else [values] * rows for name, values in given.items()}

    def rows(self, columns: _Columns) -> SentRows:
        """The model's rows, from columns of equal length by name.

        A column may be left out where its values may be missing.

        Raises:
            FrameError: a column is missing, or holds what the model cannot predict with.
        """
        if any(name not in columns for name, field in self.fields.items() if not field.optional):
            raise self._missing(columns)
        rows = max(map(len, columns.values()), default=0)
        table = np.stack(
            [self._numbers(field, columns.get(name, [None] * rows)) for name, field in self.fields.items()], axis=1
        )
        optional = np.array([field.optional for field in self.fields.values()])
        with np.errstate(over="ignore"):
            finite = np.isfinite(table.astype(np.float32))
        for row, column in np.argwhere(~(finite | (np.isnan(table) & optional)))[:1]:
            raise FrameError(
                f"Column {list(self.fields)[column]} of row {row} is missing or not finite; this service needs finite "
                "numbers."
            )
        return table

    def _numbers(self, field: Field, values: list[Any]) -> SentRows:
        """One column, converted as MLflow does: numbers in strings and booleans count, None is not a number."""
        if field.codes:
            return self._codes(field, field.codes, values)
        if field.yes_no:
            values = [_YES_NO.get(value, value) if isinstance(value, str) else value for value in values]
        try:
            numbers = np.array(values, np.float64)
        except (ValueError, TypeError, OverflowError) as error:
            raise FrameError(f"Failed to convert column {field.name} to type 'float64'. {str(error)[:100]}") from error
        if numbers.ndim != 1:
            raise FrameError(f"Failed to convert column {field.name} to type 'float64': it holds lists.")
        return numbers

    def _codes(self, field: Field, codes: dict[Any, float], values: list[Any]) -> SentRows:
        if field.optional:
            codes = codes | {None: np.nan}
        try:
            return np.array([codes[value] for value in values], np.float64)
        except (KeyError, TypeError):
            wrong = next(value for value in values if not isinstance(value, str | None) or value not in codes)
            if isinstance(wrong, str):
                self.unknown(field.name)
            raise FrameError(
                f"Column {field.name} holds {str(wrong)[:64]!r}, which is not {field.allowed}.", INVALID
            ) from None

    def _missing(self, given: Any) -> FrameError:
        missing = [name for name, field in self.fields.items() if name not in given and not field.optional]
        return FrameError(f"Model is missing inputs {missing}.", INVALID)


def _refuse_python_numbers(name: str, values: str) -> None:
    """Python reads 1_000, digits of any script, and any Unicode space around them; pandas, rightly, does not."""
    if "_" in values or not values.isascii():
        raise FrameError(f"Failed to convert column {name} to type 'float64'. Write numbers in plain ASCII digits.")


def _refuse_too_many(rows: int) -> None:
    if rows > MAX_BATCH_ROWS:
        raise FrameError(f"More than {MAX_BATCH_ROWS} rows; send them in several requests.")
