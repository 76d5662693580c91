"""Examples of the OpenAPI document that are called by a name, not by a number."""

from typing import Any

from litestar.openapi.spec import Example


class NamedExample(Example):
    """An example with an `id`: Litestar calls it so, and writes it into the example, which OpenAPI does not know."""

    def to_schema(self) -> dict[str, Any]:
        """The example as the document has it."""
        return {field: value for field, value in super().to_schema().items() if field != "id"}
