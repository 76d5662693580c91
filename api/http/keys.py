"""Optional API keys: who may predict."""

import hmac
from collections.abc import Iterable

from api.http.messages import Header
from api.http.problems import ProblemError

MISSING = "An API key is required: send it as `Authorization: Bearer KEY` or `X-API-Key: KEY`."
WRONG = "The API key that was sent is not one of this service's."


class ApiKeys:
    """The keys that are accepted; several at once, so that they can be rotated. No keys: everybody is let in."""

    def __init__(self, keys: Iterable[bytes]) -> None:
        self.keys = tuple(keys)

    def check(self, headers: Iterable[Header]) -> None:
        """Accept `Authorization: Bearer KEY` or `X-API-Key: KEY`.

        Raises:
            ProblemError: 401, no key or a wrong one.
        """
        if not self.keys:
            return
        sent = b""
        for name, value in headers:
            if name == b"x-api-key":
                sent = value
            elif name == b"authorization" and value[:7].lower() == b"bearer ":
                sent = value[7:]
        # Every key is compared, whole, so that the time tells nothing.
        matches = [hmac.compare_digest(sent.strip(), key) for key in self.keys]
        if not any(matches):
            raise ProblemError(401, WRONG if sent else MISSING, headers=[(b"www-authenticate", b"Bearer")])
