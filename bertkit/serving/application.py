"""The paths of a server. An ASGI application; uvicorn runs it, and any other ASGI server could."""

import asyncio
import json
import time
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from bertkit.errors import Error
from bertkit.report.style import policy
from bertkit.serving import body, openapi
from bertkit.serving.batching import Batcher, Busy, Job
from bertkit.serving.body import Refusal, RefusalResponse
from bertkit.serving.limits import Limits
from bertkit.serving.measures import Measures
from bertkit.serving.models import Models, Served

GONE = 499              # nobody waits for the answer any more; seen in /metrics alone


class Answering:
    """The application around models, with its queue and its counts.

    Args:
        models: The models.
        limits: What it takes before it refuses.

    `application` is the ASGI application. `close()` answers what waits.
    """

    def __init__(self, models: Models, limits: Limits) -> None:
        self.models, self.limits = models, limits
        self.batcher = Batcher(limits.queue, lambda rows, seconds: self.measures.batch(rows, seconds))
        self.measures = Measures(self.batcher.__len__)
        routes = [Route("/", self._page), Route("/openapi.json", self._openapi), Route("/healthz", self._health),
                  Route("/metrics", self._metrics), Route("/v1/predict", self._predict, methods=["POST"]),
                  Route("/v1/models/{name}:predict", self._predict_by_name, methods=["POST"]),
                  Route("/v1/models/{name}", self._model)]
        self.application = Starlette(routes=routes, exception_handlers={
            Refusal: _refused, HTTPException: _elsewhere, Exception: _failed})

    def close(self) -> None:
        """Answer what waits, then end the thread that computes."""
        self.batcher.close()

    async def _predict(self, request: Request) -> Response:
        return await self._counted(request, self.models.first, "inputs", "answers")

    async def _predict_by_name(self, request: Request) -> Response:
        return await self._counted(request, self._named(request), "instances", "predictions")

    def _named(self, request):
        name = request.path_params["name"]
        if (model := self.models.get(name)) is None:
            names = ", ".join(each.name for each in self.models)
            raise Refusal(404, f"There is no model {name!r:.60}; there is {names}.", unread=request.method == "POST")
        return model

    async def _counted(self, request, model, key, answer_key):
        """Answer a request for answers, and count it whatever comes of it."""
        answers: list[Any] | None = []
        began, status = time.monotonic(), 500
        try:
            answers = await self._answers(request, model, key)
            status = 200 if answers is not None else GONE
            return _json({answer_key: answers})
        except ClientDisconnect:
            status = GONE
            return Response(status_code=400)                # which nobody reads
        except Refusal as refusal:
            status = refusal.status
            raise
        finally:
            self.measures.request(model.name, status, len(answers or ()), time.monotonic() - began)

    async def _answers(self, request: Request, model: Served, key: str) -> list[dict[str, Any]] | None:
        given = body.inputs(await body.read(request, self.limits), key, model.task, self.limits)
        if not given:
            return []
        try:
            job = self.batcher.submit(model, given)
        except Busy as busy:
            raise Refusal(429, f"{self.limits.queue} requests wait already; send this one again in {busy.seconds} "
                               "seconds.", busy.seconds) from None
        try:
            return await self._waited(request, job)
        except Error as error:
            raise Refusal(422, " ".join(str(error).split())) from None

    async def _waited(self, request: Request, job: Job) -> list[dict[str, Any]] | None:
        """Return the answers to a request; None where its client is gone before they were begun."""
        answers = asyncio.wrap_future(job.answers)
        gone = asyncio.ensure_future(request.receive())     # after the whole body only the end of the connection comes
        try:
            done, _ = await asyncio.wait({answers, gone}, timeout=self.limits.seconds,
                                         return_when=asyncio.FIRST_COMPLETED)
        finally:
            gone.cancel()
        if answers in done or not self.batcher.withdraw(job):
            return await answers
        if gone in done:
            return None
        raise Refusal(503, f"The request waited for {self.limits.seconds:g} seconds and was not begun; send it again "
                           "later, or fewer at once.", retry=max(1, round(self.limits.seconds)))

    async def _health(self, request: Request) -> Response:
        return _json({"status": "ok", "models": {model.name: model.version for model in self.models}})

    async def _metrics(self, request: Request) -> Response:
        return Response(self.measures.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    async def _model(self, request: Request) -> Response:
        return _json(openapi.status(self._named(request)))

    async def _openapi(self, request: Request) -> Response:
        return _json(openapi.document(self.models, self.limits))

    async def _page(self, request: Request) -> Response:
        return HTMLResponse(openapi.page(self.models, self.limits), headers={"Content-Security-Policy": policy()})


def _json(value):
    content = json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    return Response(content, media_type="application/json")


async def _refused(_, refusal):
    return RefusalResponse(refusal)


async def _elsewhere(request, error):
    """Say of a path or a method that is not there what is."""
    if error.status_code == 405:
        allowed = error.headers["Allow"]
        return JSONResponse({"error": f"{request.url.path} is asked with {allowed}, not with {request.method}."}, 405,
                            error.headers)
    return JSONResponse({"error": f"There is nothing at {request.url.path:.60}; /openapi.json says what there "
                                  "is."}, error.status_code)


async def _failed(_, error):
    return JSONResponse({"error": "The server failed at this request; its log says why."}, 500)
