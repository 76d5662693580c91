"""`python -m api.portcheck`: exits 1 where the service could not listen, for those with slow things to do before."""

import os
import sys

from api import settings
from api.errors import SettingsError
from api.http.server import check_port


def main() -> int:
    """Check settings and port as the service will; returns the exit code."""
    try:
        found = settings.from_environment(os.environ)
    except SettingsError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    try:
        check_port(found)
    except SettingsError as error:
        print(f"Error: {error}, as in: make run PORT={found.port % 65535 + 1}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
