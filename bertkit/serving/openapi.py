"""The description of a server's paths, as OpenAPI 3.1 and as a page that asks nothing of the network."""

import json
from typing import Any

from bertkit.report.markup import element
from bertkit.report.page import render_document
from bertkit.serving.limits import Limits
from bertkit.serving.models import Models, Served
from bertkit.version import VERSION

REFUSALS = {"408": "the request did not come whole in time", "413": "the request, or its list, is too large",
            "422": "the body is not what the model reads", "429": "too many requests wait; Retry-After says how long",
            "503": "the request waited too long"}
INPUT = {"description": "A text; where the model reads several, a list of texts: [first, second].",
         "oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}


def document(models: Models, limits: Limits) -> dict[str, Any]:
    """Return the description of a server's paths.

    Args:
        models: Its models.
        limits: Its limits.

    Returns:
        An OpenAPI document, as JSON.
    """
    paths = {"/v1/predict": {"post": _asking("inputs", "answers", models.first, limits)}}
    for model in models:
        paths[f"/v1/models/{model.name}:predict"] = {"post": _asking("instances", "predictions", model, limits)}
        paths[f"/v1/models/{model.name}"] = {"get": _plain(f"the state of {model.name}")}
    paths |= {"/healthz": {"get": _plain("whether it answers, and with which models")},
              "/metrics": {"get": _plain("counts for Prometheus", "text/plain")},
              "/openapi.json": {"get": _plain("this description")}}
    return {"openapi": "3.1.0", "info": {"title": "bertkit serve", "version": VERSION}, "paths": paths}


def _asking(key, answer_key, model, limits):
    """Return the operation that answers inputs."""
    asked = {"type": "object", "required": [key], "additionalProperties": False, "properties": {
        key: {"type": "array", "maxItems": limits.rows, "items": INPUT}}}
    answered = {"type": "object", "required": [answer_key], "properties": {
        answer_key: {"type": "array", "items": {"type": "object"}}}}
    return {"summary": f"the answers of {model.name} ({model.task.name}), one for each input in order",
            "description": f"The model reads: {', '.join(model.task.reads)}.",
            "requestBody": {"required": True, "content": {"application/json": {"schema": asked}}},
            "responses": {"200": _content("the answers, as `bertkit predict` gives them", answered),
                          **{status: _content(words, {"type": "object", "properties": {"error": {"type": "string"}}})
                             for status, words in REFUSALS.items()}}}


def _plain(summary, kind="application/json"):
    return {"summary": summary, "responses": {"200": {"description": summary, "content": {kind: {}}}}}


def _content(words, shape):
    return {"description": words, "content": {"application/json": {"schema": shape}}}


def status(model: Served) -> dict[str, Any]:
    """Return the state of a model, in the form of TensorFlow Serving.

    Args:
        model: The model.

    Returns:
        JSON.
    """
    return {"model_version_status": [{"version": model.version, "state": "AVAILABLE",
                                      "status": {"error_code": "OK", "error_message": ""}}]}


def page(models: Models, limits: Limits) -> str:
    """Return a page for a person: the paths, the models, how to ask.

    Args:
        models: The models of the server.
        limits: Its limits.

    Returns:
        HTML, which loads and runs nothing.
    """
    rows = [element("tr", element("th", method.upper(), " ", path), element("td", operation["summary"]))
            for path, methods in document(models, limits)["paths"].items() for method, operation in methods.items()]
    reads = models.first.task.reads
    given = json.dumps({"inputs": ["a text" if reads == ("text",) else [part for part in reads if part != "..."]]})
    refused = [element("tr", element("th", number), element("td", words)) for number, words in REFUSALS.items()]
    return render_document("bertkit serve", element("header", element("h1", "bertkit serve")), element(
        "main", element("p", "Ask it: ", element("code", f"curl -d '{given}' http://ADDRESS/v1/predict")),
        element("h2", "Paths"), element("table", element("tbody", *rows)),
        element("h2", "Refusals"), element("p", "One sentence: ", element("code", '{"error": "..."}')),
        element("table", element("tbody", *refused))))
