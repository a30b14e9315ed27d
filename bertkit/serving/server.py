"""The server itself: uvicorn on a socket, signals, and an end that loses no accepted request."""

import asyncio
import contextlib
import ctypes
import signal
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Any

import uvicorn

from bertkit.serving.application import Answering
from bertkit.serving.limits import Limits
from bertkit.serving.models import Models
from bertkit.terminal import say

ACCEPTING = 0.1         # seconds in which the last connections are accepted
LINGER = 0.3            # seconds in which what a connection already sent is still read, after no more are accepted
COMPUTING = 300         # seconds that a batch under way may still take at the end

SO_ATTACH_FILTER, BPF_RETURN = 26, 6        # of Linux: asm-generic/socket.h, linux/bpf_common.h


class Server(uvicorn.Server):
    """uvicorn's server, whose signals are handled outside, and which at its end reads what was already sent.

    Args:
        config: uvicorn's settings.
        message: What is said when the socket listens; "" says nothing.
    """

    def __init__(self, config: uvicorn.Config, message: str) -> None:
        super().__init__(config)
        self._message = message

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `run`: uvicorn would raise SIGTERM again at its end, and the exit code would not be 0.

        Yields:
            Nothing.
        """
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so.

        Args:
            sockets: The bound sockets.
        """
        await super().startup(sockets)
        if self._message:
            say(self._message)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept no more connections, read the requests of those that are open, answer them, close.

        Args:
            sockets: The sockets to close.
        """
        for each in sockets or []:
            _ignore_new(each)
        await asyncio.sleep(ACCEPTING)      # the loop accepts the connections that wait in the kernel
        for server in self.servers:
            server.close()
        for each in sockets or []:
            each.close()
        await asyncio.sleep(LINGER)
        await super().shutdown([])


def _ignore_new(listener):
    """Let the kernel drop who wants to connect: closing a socket would reset those that connected and wait in it.

    Who is dropped tries again by itself and finds the port closed. Where the system cannot do this, who connects in the
    very moment of closing is reset.
    """
    if not sys.platform.startswith("linux"):
        return
    drop_all = ctypes.create_string_buffer(struct.pack("=HBBI", BPF_RETURN, 0, 0, 0))   # keep 0 bytes of each packet
    with contextlib.suppress(OSError):
        listener.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("@HP", 1, ctypes.addressof(drop_all)))


def make_server(answering: Answering, message: str = "") -> Server:
    """Return a server of an application.

    Args:
        answering: The application.
        message: What is said when it listens.

    Returns:
        The server, which `serve(sockets=[...])` runs.
    """
    seconds = answering.limits.seconds
    # No line of log for each request: what is asked may be private.
    return Server(uvicorn.Config(
        answering.application, http="h11", loop="asyncio", ws="none", lifespan="off", interface="asgi3",
        log_config=None, access_log=False, server_header=False, proxy_headers=False,
        timeout_graceful_shutdown=round(2 * seconds + COMPUTING)), message)


def run(models: Models, listener: socket.socket, limits: Limits) -> dict[str, Any]:
    """Answer requests until SIGTERM or SIGINT; SIGHUP loads the models again.

    Args:
        models: The models.
        listener: A bound socket.
        limits: What is taken before it is refused.

    Returns:
        {"requests": answered requests, "rows": answered inputs}.
    """
    answering = Answering(models, limits)
    try:
        asyncio.run(_serve(answering, listener))
        signal.signal(signal.SIGTERM, signal.SIG_IGN)           # a second one, while this process ends
    finally:
        answering.close()
    return answering.measures.answered


async def _serve(answering, listener):
    host, port = listener.getsockname()[:2]
    names = ", ".join(model.name for model in answering.models)
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    server = make_server(answering, f"serving {names} at {address}; the page / says how to ask")
    loop, loading = asyncio.get_running_loop(), set()

    def end(name):
        if not server.should_exit:
            say(f"{name}: no more connections are accepted; what was accepted is answered.")
        server.should_exit = True

    def reload():
        task = loop.create_task(asyncio.to_thread(answering.models.reload))
        loading.add(task)                   # the loop itself keeps no task alive
        task.add_done_callback(loading.discard)

    for name in ("SIGTERM", "SIGINT"):
        loop.add_signal_handler(getattr(signal, name), end, name)
    loop.add_signal_handler(signal.SIGHUP, reload)
    await server.serve(sockets=[listener])
