"""The ports that the service takes, before it does anything slow."""

import errno
import socket
from typing import Any

from api.errors import SettingsError

BACKLOG = 2048
"""Connections that may wait to be accepted."""

_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}
"""A machine without IPv6 may still give `localhost` an address of it."""


def take_port(setting: str, host: str, port: int) -> list[socket.socket]:
    """Sockets bound to every address that the host has; nobody can connect before a server listens on them.

    `::` stands for IPv4 as well; a name such as `localhost` may have addresses of both kinds.

    Raises:
        SettingsError: the port, which `setting` chose, is taken, or the host is not one of this machine's.
    """
    sockets: list[socket.socket] = []
    refused: Exception = OSError()
    try:
        for family, _, _, _, address in socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            # Where any port will do, all addresses get the same.
            taken = sockets[0].getsockname()[1] if sockets else port
            try:
                sockets.append(_bound(family, (address[0], taken, *address[2:])))
            except OSError as error:
                if error.errno not in _NOT_HERE:
                    raise
                refused = error
    except (OSError, UnicodeError) as error:
        for bound in sockets:
            bound.close()
        sockets, refused = [], error
    if not sockets:
        raise SettingsError(_explained(setting, host, port, refused)) from refused
    return sockets


def listen(sockets: list[socket.socket]) -> None:
    """Let connections come.

    Raises:
        SettingsError: somebody else, who had bound the port as well, was faster.
    """
    try:
        for bound in sockets:
            bound.listen(BACKLOG)
    except OSError as error:
        raise SettingsError(f"cannot listen at {url(bound)} any more: {error.strerror}; choose another PORT") from error


def url(bound: socket.socket) -> str:
    """What a browser on this machine opens."""
    host, port, *_ = bound.getsockname()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (nothing is bound here)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bound(family: int, address: tuple[Any, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, address[0] != "::")
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _explained(setting: str, host: str, port: int, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        other = f"{setting}={port + 1 if port < 65535 else port - 1}"
        return (
            f"{setting}={port} is taken on HOST={host}: choose another, as in `{other} make run`, "
            f"`{other} make serve` or `{other} python -m api`"
        )
    reason = error.strerror if isinstance(error, OSError) else error
    return f"cannot listen on HOST={host} {setting}={port}: {reason}; correct HOST, or choose another {setting}"
