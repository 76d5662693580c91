"""The container's health check: `python -m api.healthcheck` exits 0 if `/ready` answers 200 where HOST and PORT say."""

import http.client
import os
import sys


def main() -> int:
    """Ask once, for at most four seconds."""
    # To connect to 0.0.0.0 or :: is to connect to this machine.
    host = os.environ.get("HOST", "").strip() or "127.0.0.1"
    connection = http.client.HTTPConnection(host, int(os.environ.get("PORT") or 8000), timeout=4)
    try:
        connection.request("GET", "/ready")
        response = connection.getresponse()
        if response.status == 200:
            return 0
        print(response.read().decode(errors="replace"), file=sys.stderr)
    except OSError as error:
        print(f"/ready does not answer: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
