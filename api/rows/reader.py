"""Reads request bodies into rows of the model's own numbers, as strictly as the schema says."""

import json
import math
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from api.http.problems import UNREADABLE, ProblemError, malformed
from api.model.answers import Row, SentRows
from api.rows.faults import Faults, refusal
from api.rows.fields import Field, make_fields
from api.rows.packed import PackedRows
from api.rows.structs import batch_struct, features_struct, wire_name
from api.store.schema import Schema

_astuple = msgspec.structs.astuple

LONG = 4096
"""Bytes of a body that numpy goes through faster than Python does."""


class RowReader:
    """Reads single rows and batches of one table; `unknown` is told the name of a feature whose category is unknown.

    Decoders are made once. Names that a decoder cannot be made for, with a quote or a backslash in them, are read field
    by field instead, which is slower.
    """

    def __init__(self, schema: Schema, unknown: Callable[[str], None] = lambda _: None) -> None:
        self.fields = make_fields(schema)
        self.unknown = unknown
        self.faults = Faults(self.fields, schema.plural, unknown)
        self.features = features_struct(schema, self.fields)
        self.batch = batch_struct(schema, self.features)
        self._one = msgspec.json.Decoder(self.features)
        self._many = msgspec.json.Decoder(self.batch)
        self._decodable = all(wire_name(i, field.name) == field.name for i, field in enumerate(self.fields))
        # A body that has passed the decoder then has no colons but those between its names and values.
        self._countable = not any(":" in text for field in self.fields for text in (field.name, *(field.codes or ())))
        self._optional = any(field.optional for field in self.fields)
        self._encode = _encoder(self.fields)
        floats = not any(field.optional or field.yes_no or field.codes for field in self.fields)
        self._packed = PackedRows([field.name for field in self.fields]) if floats and self._decodable else None

    def one(self, body: bytes) -> Row:
        """The row of a body that holds one.

        Raises:
            ProblemError: 400 or 422.
        """
        if not self._decodable:
            return self._encode(self._by_name(self._sound(body, batch=False)))
        features = self._decode(self._one, body, batch=False)
        self._refuse_duplicates(body, [features], 0)
        return self._encode(_astuple(features))

    def many(self, body: bytes) -> SentRows:
        """The rows of a batch, in order.

        Raises:
            ProblemError: 400 or 422.
        """
        if not self._decodable:
            sound = self._sound(body, batch=True)["rows"]
            return self._table(map(self._by_name, sound), len(sound))
        rows = self._decode(self._many, body, batch=True).rows
        self._refuse_duplicates(body, rows, 1)
        return self._packed.table(rows) if self._packed else self._table(map(_astuple, rows), len(rows))

    def _table(self, rows: Iterable[tuple[Any, ...]], count: int) -> SentRows:
        width = len(self.fields)
        numbers = chain.from_iterable(map(self._encode, rows))
        return np.fromiter(numbers, np.float64, count * width).reshape(count, width)

    def sent(self, values: dict[str, Any]) -> Row:
        """The row of values by name, as a body that holds one has them.

        Raises:
            ProblemError: 422.
        """
        if faults := self.faults.find(values, batch=False):
            raise refusal(faults)
        return self._encode(self._by_name(values))

    def refused(self) -> ProblemError:
        """How a row is refused whose first value is of the wrong kind, for the documents."""
        field = self.fields[0]
        wrong = 8.3 if field.codes else "8.3"
        return refusal([fault for fault in self.faults.find({field.name: wrong}, batch=False) if fault.value])

    def _decode(self, decoder: msgspec.json.Decoder[Any], body: bytes, *, batch: bool) -> Any:
        try:
            return decoder.decode(body)
        except msgspec.ValidationError as error:
            raise self.faults.invalid(body, error, batch=batch) from error
        except UNREADABLE as error:
            raise malformed(body, error) from error

    def _refuse_duplicates(self, body: bytes, rows: list[msgspec.Struct], wrapping: int) -> None:
        """Refuse a field that is given twice: JSON leaves open which one counts, and the decoder takes the last."""
        if self._countable:
            given = len(rows) * len(self.fields) - self._left_out(rows)
            if _colons(body) != given + wrapping:
                raise self.faults.twice()
        else:
            self._parse(body)

    def _left_out(self, rows: list[msgspec.Struct]) -> int:
        if not self._optional:
            return 0
        return sum(_astuple(row).count(UNSET) for row in rows)

    def _sound(self, body: bytes, *, batch: bool) -> Any:
        try:
            sent = msgspec.json.decode(body)
        except UNREADABLE as error:
            raise malformed(body, error) from error
        if faults := self.faults.find(sent, batch=batch):
            raise refusal(faults)
        self._parse(body)
        return sent

    def _parse(self, body: bytes) -> None:
        def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
            if len(found := dict(pairs)) < len(pairs):
                raise self.faults.twice()
            return found

        json.loads(body, object_pairs_hook=unique)

    def _by_name(self, sent: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(sent.get(field.name) for field in self.fields)


def _colons(body: bytes) -> int:
    # Python looks for one after the other, numpy at all bytes at once.
    return int(np.count_nonzero(np.frombuffer(body, np.uint8) == ord(":"))) if len(body) > LONG else body.count(b":")


def _encoder(fields: tuple[Field, ...]) -> Callable[[tuple[Any, ...]], Row]:
    """What turns decoded values into the model's numbers; numpy takes numbers and yes/no as they are."""
    categories = [
        (i, {**field.codes, None: math.nan, UNSET: math.nan}) for i, field in enumerate(fields) if field.codes
    ]
    optional = [i for i, field in enumerate(fields) if field.optional and not field.codes]
    if not categories and not optional:
        return tuple

    def encode(values: tuple[Any, ...]) -> Row:
        row = list(values)
        for i, codes in categories:
            row[i] = codes[row[i]]
        for i in optional:
            if row[i] is UNSET or row[i] is None:
                row[i] = math.nan
        return tuple(row)

    return encode
