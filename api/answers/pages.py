"""What a browser gets: the page to try the model at `/`, and the files of this page and of Swagger UI's at `/docs`.

Everything comes from this process, so both pages work in a closed network, and the policy lets nothing else in: no
code or style within a page, no other host.
"""

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from api.errors import SettingsError

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {"content-security-policy": POLICY, "referrer-policy": "no-referrer"}
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
STATIC = Path(__file__).parent / "static"

SWAGGER = "flask-swagger-ui"
"""The package that follows Swagger UI's releases. Only its copy of Swagger UI is read; none of its code runs."""


def pages(table: bytes) -> list[HTTPRouteHandler]:
    """The handlers of the page at `/`, of what it says of the table, and of both pages' files.

    Raises:
        SettingsError: Swagger UI is not installed.
    """
    swagger = _swagger()
    return [
        _file("/", STATIC / "page.html"),
        _body("/static/table.json", table, "application/json", "no-cache"),
        *(_file(f"/static/{file.name}", file) for file in sorted(STATIC.iterdir()) if file.suffix != ".html"),
        *(_file(f"/static/{name}", swagger / name) for name in ("swagger-ui-bundle.js", "swagger-ui.css")),
    ]


def _swagger() -> Path:
    try:
        return Path(str(distribution(SWAGGER).locate_file("flask_swagger_ui/dist")))
    except PackageNotFoundError as error:
        raise SettingsError(
            f"DOCS=true needs Swagger UI, and the package {SWAGGER} is not installed: "
            "install requirements/docs.txt with --no-deps, or set DOCS=false"
        ) from error


def _file(path: str, file: Path) -> HTTPRouteHandler:
    """A handler that answers with a file, read now."""
    return _body(path, file.read_bytes(), _TYPES[file.suffix], "no-cache" if file.parent == STATIC else "max-age=86400")


def _body(path: str, body: bytes, media_type: str, cache: str) -> HTTPRouteHandler:
    headers = {**HEADERS, "cache-control": cache}

    @get(path, include_in_schema=False, sync_to_thread=False)
    def read() -> Response[bytes]:
        return Response(body, media_type=media_type, headers=headers)

    return read
