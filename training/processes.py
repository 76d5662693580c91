"""Other processes of this machine."""

import os
from contextlib import suppress


def runs(process: int) -> bool:
    """Whether there is a process with this id, whoever owns it."""
    try:
        with suppress(PermissionError):  # somebody else's
            os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
