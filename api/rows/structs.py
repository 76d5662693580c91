"""The types that rows are decoded into, made of a table's schema when its model is loaded."""

from types import GenericAlias

import msgspec
from msgspec import UNSET

from api.rows.faults import MAX_BATCH_ROWS
from api.rows.fields import Field, capitalised, described
from api.store.schema import Schema

Body = type[msgspec.Struct]


def wire_name(place: int, name: str) -> str:
    """The name itself, or one that stands for it where msgspec takes none with such characters in it."""
    return f"\ue000{place}" if '"' in name or "\\" in name or any(character < " " for character in name) else name


def features_struct(schema: Schema, fields: tuple[Field, ...]) -> Body:
    """One row: a field for each feature, in the model's order."""
    return msgspec.defstruct(
        "Features",
        [
            (f"f{i}", field.declared, UNSET) if field.optional else (f"f{i}", field.declared)
            for i, field in enumerate(fields)
        ],
        namespace={"__doc__": schema.row_description or f"One {schema.row}."},
        rename={f"f{i}": wire_name(i, field.name) for i, field in enumerate(fields)},
        frozen=True,
        gc=False,
        kw_only=True,
        forbid_unknown_fields=True,
    )


def batch_struct(schema: Schema, features: Body) -> Body:
    """The rows of a batch, as many as one may have."""
    rows = described(
        GenericAlias(list, (features,)),
        min_length=1,
        max_length=MAX_BATCH_ROWS,
        description=f"1 to {MAX_BATCH_ROWS:,} {schema.plural}, answered in this order.",
        examples=[[schema.example]],
    )
    return msgspec.defstruct(
        "Batch",
        [("rows", rows)],
        namespace={"__doc__": f"{capitalised(schema.plural)} to predict together."},
        frozen=True,
        forbid_unknown_fields=True,
    )
