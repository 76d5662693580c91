"""`python -m api.portcheck`: exits 1 where the service could not listen, for those with slow things to do before."""

import os
import sys

from api import settings
from api.errors import SettingsError
from api.http.sockets import take_port


def main() -> int:
    """Check settings and port as the service will; returns the exit code."""
    try:
        found = settings.from_environment(os.environ)
        for bound in take_port("PORT", found.host, found.port):
            bound.close()
    except SettingsError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
