"""The beginning of a server: what is wrong is told before a model is loaded."""

import os
import socket
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any

from bertkit.errors import Error
from bertkit.files.schema import Whole, check_argument
from bertkit.requirements import missing
from bertkit.serving.limits import Limits

PACKAGES = ("starlette", "uvicorn", "prometheus-client")          # the extra `serve`


def serve(folders: Sequence[str | os.PathLike[str]], host: str = "127.0.0.1", port: int = 8080,
          limits: Limits = Limits()) -> dict[str, Any]:
    """Answer requests with bundles, or with folders that `bertkit export --to tflite` wrote, until a signal ends it.

    SIGTERM and Ctrl-C end it after all that was accepted is answered; SIGHUP loads the folders again.

    Args:
        folders: The folders; the name of each is that of its model, and the first answers POST /v1/predict.
        host: The address to listen at; 127.0.0.1 is reached from this machine alone, 0.0.0.0 from every other.
        port: The port; 0 takes a free one, which is said.
        limits: What it takes before it refuses.

    Returns:
        {"requests": answered requests, "rows": answered inputs}.

    Raises:
        Error: When a package is missing, the address cannot be had, or a folder holds nothing that can be served.
    """
    for package in PACKAGES:
        if find_spec(package.replace("-", "_")) is None:
            raise missing(package, "bertkit serve")
    check_argument("port", port, Whole(0, 65535))
    listener = bind(host, port)
    from bertkit.serving.models import Models
    from bertkit.serving.server import run
    with listener:
        return run(Models(folders), listener, limits)


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that has an address; it refuses connections until a server listens.

    Args:
        host: A name or a number of an interface of this machine.
        port: The port; 0 takes a free one.

    Returns:
        The socket.

    Raises:
        Error: When the address is no such thing, or another program has it.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM,
                                                                flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise Error(f"--host {host!r:.60} is no address ({error}); give one of this machine, such as "
                    "127.0.0.1.") from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)      # else a restart waits for a minute
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise Error(f"{host} port {port} cannot be listened at ({error.strerror}); end the program that has it, or "
                    "give another --port or --host.") from None
    return listener
