"""A setting's text made a value of its type, or said in words what it must be."""

from typing import Any

import msgspec
from msgspec import inspect

SIMPLE = (
    inspect.BoolType, inspect.FloatType, inspect.IntType, inspect.LiteralType, inspect.NoneType, inspect.StrType,
)  # fmt: skip
"""What is written as one word of text; everything else is JSON."""


class Unusable(Exception):
    """The text is no value of the type; the message says what to use."""


def convert(text: str, type_: Any) -> Any:
    """Make a value of `type_` from a setting as Pulumi stores it: text, and JSON for all that has parts.

    Raises:
        Unusable: if it is none.
    """
    simple = _is_simple(inspect.type_info(type_))
    try:
        return msgspec.convert(text, type_, strict=False) if simple else msgspec.json.decode(text, type=type_)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        detail = f" ({error})" if not simple and text.lstrip()[:1] in ("[", "{") else ""
        raise Unusable(f"use {words(type_)}{detail}") from error


def words(type_: Any) -> str:
    """What a value of `type_` is: the `words` of its `msgspec.Meta`, or made of the type and its bounds."""
    return _words(inspect.type_info(type_))


def _words(info: inspect.Type) -> str:
    if isinstance(info, inspect.Metadata):
        return (info.extra or {}).get("words") or _words(info.type)
    if isinstance(info, inspect.UnionType):
        return _words(next(kind for kind in info.types if not isinstance(kind, inspect.NoneType)))
    if isinstance(info, inspect.LiteralType):
        return f"one of {', '.join(map(str, info.values))}"
    if isinstance(info, inspect.BoolType):
        return "true or false"
    if isinstance(info, inspect.IntType | inspect.FloatType):
        return _number(info)
    return "text" if isinstance(info, inspect.StrType) else "JSON, as the AWS provider documents it"


def _number(info: inspect.IntType | inspect.FloatType) -> str:
    kind = "a whole number" if isinstance(info, inspect.IntType) else "a number"
    if info.ge is None:
        return kind
    return f"{kind} of {info.ge} or more" if info.le is None else f"{kind} from {info.ge} to {info.le}"


def _is_simple(info: inspect.Type) -> bool:
    """Whether a value is one word of text, and no JSON."""
    if isinstance(info, inspect.Metadata):
        return _is_simple(info.type)
    if isinstance(info, inspect.UnionType):
        return all(_is_simple(kind) for kind in info.types)
    return isinstance(info, SIMPLE)
