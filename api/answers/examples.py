"""Examples of the OpenAPI document that are called by a name, not by a number."""

from typing import Any

from litestar.openapi.spec import Example


class NamedExample(Example):
    """Its `id` is its name. Litestar writes that into the example too, where OpenAPI knows no such field."""

    def to_schema(self) -> dict[str, Any]:
        """The example as the document has it."""
        return {field: value for field, value in super().to_schema().items() if field != "id"}
