"""The sockets that the node serves on."""

import errno
import socket

from config import HttpSettings
from server.errors import StartError

BACKLOG = 512


def listen_http(settings: HttpSettings) -> socket.socket:
    """Bind before anything else starts: a taken port should be said at once.

    Raises StartError.
    """
    host = "0.0.0.0" if settings.host in ("", "*") else settings.host  # noqa: S104 (as asked)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, settings.port))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise _explained(error, settings) from None
    listening.setblocking(False)
    return listening


def _explained(error: OSError, settings: HttpSettings) -> StartError:
    where = f"{settings.host}:{settings.port}"
    if error.errno == errno.EADDRINUSE:
        return StartError(
            f"{where} is in use.", "Stop the other program, or choose another port with PORT."
        )
    if error.errno == errno.EACCES:
        return StartError(f"{where} may not be bound.", "Choose a port above 1023 with PORT.")
    return StartError(f"{where} cannot be bound: {error.strerror}.", "Check MIANSHI_HTTP_HOST.")
