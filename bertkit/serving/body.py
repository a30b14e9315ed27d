"""The body of a request as the inputs of a model, within limits, and what a refusal is."""

import asyncio
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.serving.limits import Limits
from bertkit.terminal import escaped

# Of a body that is refused before it is read: how much of it is still taken, and how long, so that the client, which
# may read nothing before all is sent, finds the refusal and no broken connection.
DRAINED_BYTES, DRAINED_SECONDS = 2**28, 10


class Refusal(Exception):
    """A request that is not answered: the status and one sentence.

    Args:
        status: The status of HTTP.
        sentence: What came, what was wanted, what to do.
        retry: The seconds of Retry-After.
        unread: Whether more of the body may come.
    """

    def __init__(self, status: int, sentence: str, retry: int | None = None, unread: bool = False) -> None:
        super().__init__(sentence)
        self.status, self.retry, self.unread = status, retry, unread


class RefusalResponse(JSONResponse):
    """The answer to a request that is refused: {"error": sentence}.

    Args:
        refusal: The `Refusal`.
    """

    def __init__(self, refusal: Refusal) -> None:
        headers = {"Retry-After": str(refusal.retry)} if refusal.retry else {}
        headers |= {"Connection": "close"} if refusal.unread else {}
        super().__init__({"error": escaped(str(refusal))}, refusal.status, headers)
        self._unread = refusal.unread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response as ASGI wants it.

        Args:
            scope: The request.
            receive: Gives the rest of the body.
            send: Takes the response.
        """
        if not self._unread:
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await _drain(receive)
        await send({"type": "http.response.body"})


async def _drain(receive):
    """Take the rest of a body and forget it."""
    left, end = DRAINED_BYTES, time.monotonic() + DRAINED_SECONDS
    try:
        while left > 0 and time.monotonic() < end:
            message = await asyncio.wait_for(receive(), 2)
            left -= len(message.get("body", b""))
            if not message.get("more_body"):
                return
    except TimeoutError:
        pass


async def read(request: Request, limits: Limits) -> bytes:
    """Return the body of a request.

    Args:
        request: The request.
        limits: How large it may be and how long it may take.

    Returns:
        The bytes.

    Raises:
        Refusal: When it is larger or takes longer.
    """
    large = Refusal(413, f"The request has more than {limits.body:,} bytes; send its inputs in several requests.",
                    unread=True)
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limits.body:
        raise large
    body = bytearray()
    try:
        async with asyncio.timeout(limits.seconds):
            async for part in request.stream():
                body += part
                if len(body) > limits.body:
                    raise large
    except TimeoutError:
        raise Refusal(408, f"The request did not come whole within {limits.seconds:g} seconds; send it "
                           "again.", unread=True) from None
    return bytes(body)


def inputs(body: bytes, key: str, task: Any, limits: Limits) -> list[Any]:
    """Return the inputs in a body, as the task of a model takes them.

    Args:
        body: JSON: {key: [text | [text, text, ...], ...]}.
        key: The one key.
        task: The task.
        limits: How many inputs there may be.

    Returns:
        One text or tuple of texts each.

    Raises:
        Refusal: When the body is something else.
    """
    advice = f'send {{"{key}": [text or [text, text], ...]}}'
    try:
        given = schema.parse(body, "The request", schema.Only({key: list}), advice)[key]
        if len(given) > limits.rows:
            raise Refusal(413, f"The request has {len(given):,} inputs, and this server takes {limits.rows:,}; send "
                               "them in several requests.")
        schema.check(given, [(str, [str])], key, advice)
        _check_characters(given)
        return task.check_inputs(given)
    except Error as error:
        raise Refusal(422, " ".join(str(error).split())) from None


def _check_characters(given):
    for number, texts in enumerate(given, start=1):
        try:
            "".join(texts).encode()
        except UnicodeEncodeError:
            raise Error(f"Row {number} holds half of a surrogate pair, which is no character; send it as UTF-8 or with "
                        "both halves.") from None
