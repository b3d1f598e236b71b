"""Whether a port can be listened on."""

from __future__ import annotations

import errno
import socket

from gis.errors import UsageError


def require_free_port(host: str, port: int) -> None:
    """Do nothing when the port is free.

    Raises
    ------
    UsageError : it is in use, may not be used by this user, or the host is not ours.
    """
    if not 0 < port < 65536:
        raise UsageError(f"{port} is no port.", "Choose one from 1024 to 65535: --port N")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            # SO_REUSEADDR lets a bind pass beside a socket that shares the port; only listening tells.
            listener.listen(1)
        except OSError as error:
            raise _explain(error, host, port) from error


def _explain(error: OSError, host: str, port: int) -> UsageError:
    if error.errno == errno.EADDRINUSE:
        return UsageError(f"Port {port} is in use.", f"Choose another: --port {port + 1}, or stop what listens there.")
    if error.errno == errno.EACCES:
        return UsageError(f"Port {port} needs root.", "Choose one from 1024 to 65535: --port N")
    return UsageError(f"Cannot listen on {host}:{port}: {error.strerror}.", "Give --host an address of this machine.")
