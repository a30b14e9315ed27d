"""A server on a real socket: answers, refusals, counts, one model in the place of another."""

import contextlib
import http.client
import json
import os
import re
import socket
import threading
import time

import numpy as np
import pytest

from bertkit import Error
from bertkit.serving import Limits
from bertkit.serving.start import bind
from tests import exported, tiny

for _package in ("starlette", "uvicorn", "prometheus_client"):
    pytest.importorskip(_package, reason="needs the extra serve")

LIMITS = Limits(queue=4, rows=50, body=20_000, seconds=30)
TEXTS = [*tiny.texts(12)[0], "", "x", "good " * 40]


@contextlib.contextmanager
def serving(folders, limits=LIMITS):
    """Run a server in a thread; yield (its port, its `Answering`)."""
    import asyncio

    from bertkit.serving.application import Answering
    from bertkit.serving.models import Models
    from bertkit.serving.server import make_server
    answering, listener = Answering(Models(folders), limits), bind("127.0.0.1", 0)
    server = make_server(answering)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])))
    port = listener.getsockname()[1]
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield port, answering
    finally:
        server.should_exit = True
        thread.join(60)
        answering.close()
        assert not thread.is_alive()


def ask(port, method, path, body=None):
    """Return (status, headers, JSON or text)."""
    body = json.dumps(body).encode() if body is not None and not isinstance(body, bytes) else body
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        content = answer.read().decode()
    finally:
        connection.close()
    is_json = answer.headers["Content-Type"] == "application/json"
    return answer.status, answer.headers, json.loads(content) if is_json else content


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server of a classifier of texts, `messages`, and one of pairs, `pairs`."""
    room = tmp_path_factory.mktemp("served")
    (room / "messages").symlink_to(exported.bundled())
    (room / "pairs").symlink_to(exported.bundled(**exported.PAIRS))
    with serving([room / "messages", room / "pairs"]) as (port, answering):
        yield port, answering, room


@pytest.fixture(scope="module")
def wanted():
    from bertkit import Predictor
    return Predictor(exported.bundled()).predict(TEXTS)


def numbers(answers):
    return np.array([list(answer["probabilities"].values()) for answer in answers])


def test_the_answers_are_those_of_predict(server, wanted):
    port = server[0]
    status, headers, content = ask(port, "POST", "/v1/predict", {"inputs": TEXTS})
    assert status == 200 and list(content) == ["answers"]
    assert [answer["label"] for answer in content["answers"]] == [answer["label"] for answer in wanted]
    np.testing.assert_allclose(numbers(content["answers"]), numbers(wanted), atol=1e-6)
    assert len(np.unique(numbers(wanted).round(4), axis=0)) > 5
    assert ask(port, "POST", "/v1/predict", {"inputs": []})[2] == {"answers": []}


def test_each_model_has_its_path(server):
    port = server[0]
    status, _, content = ask(port, "POST", "/v1/models/pairs:predict", {"instances": [["good film", "old story"]]})
    assert status == 200 and set(content["predictions"][0]) == {"labels", "probabilities"}
    assert ask(port, "GET", "/v1/models/pairs")[2]["model_version_status"][0]["state"] == "AVAILABLE"
    status, _, content = ask(port, "POST", "/v1/models/other:predict", {"instances": ["a"]})
    assert status == 404 and content["error"] == "There is no model 'other'; there is messages, pairs."


BAD = {"no JSON": b"{inputs", "no UTF-8": b'{"inputs": ["\xff"]}', "nothing": b"", "a list": [], "no inputs": {},
       "a text": {"inputs": "a"}, "another key": {"inputs": ["a"], "top_k": 2}, "a number": {"inputs": [1]},
       "null": {"inputs": [None]}, "an object": {"inputs": [{"text": "a"}]}, "a pair": {"inputs": [["a", "b"]]},
       "three texts": {"inputs": [["a", "b", "c"]]}, "an empty list": {"inputs": [[]]},
       "a number in a pair": {"inputs": [["a", 1]]},
       "NaN": b'{"inputs": [NaN]}', "a long number": b'{"inputs": [' + b"9" * 9000 + b"]}",
       "a deep one": b'{"inputs": ' + b"[" * 9000 + b"]" * 9000 + b"}",
       "a surrogate": b'{"inputs": ["a \\ud800 b"]}', "a surrogate as a key": b'{"\\ud800": ["a"]}'}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_is_no_request_is_told_so(server, body):
    status, _, content = ask(server[0], "POST", "/v1/predict", body)
    assert status == 422 and re.fullmatch(r"\S.{15,}\.", content["error"])
    assert "Traceback" not in content["error"] and "\n" not in content["error"]


def test_what_is_too_large_is_told_so(server):
    port = server[0]
    status, _, content = ask(port, "POST", "/v1/predict", {"inputs": ["a"] * 51})
    assert (status, content["error"]) == (413, "The request has 51 inputs, and this server takes 50; send them in "
                                               "several requests.")
    status, headers, content = ask(port, "POST", "/v1/predict", b" " * 3_000_000)
    assert status == 413 and "more than 20,000 bytes" in content["error"] and headers["Connection"] == "close"


def test_a_body_of_unknown_size_is_cut_off_and_the_refusal_arrives(server):
    with socket.create_connection(("127.0.0.1", server[0]), timeout=30) as link:
        link.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in range(40):
            link.sendall(b"80000\r\n" + b" " * 0x80000 + b"\r\n")
        link.sendall(b"0\r\n\r\n")
        got = b""
        while part := link.recv(65536):
            got += part
    assert got.startswith(b"HTTP/1.1 413 ") and got.endswith(b'several requests."}')


def test_other_paths_and_methods(server):
    port = server[0]
    assert ask(port, "GET", "/nowhere")[::2] == (404, {"error": "There is nothing at /nowhere; /openapi.json says what "
                                                                "there is."})
    status, headers, content = ask(port, "GET", "/v1/predict")
    assert status == 405 and headers["Allow"] == "POST" and "is asked with POST" in content["error"]


def test_the_description_names_every_path(server):
    port = server[0]
    content = ask(port, "GET", "/openapi.json")[2]
    assert content["openapi"].startswith("3.1") and "/v1/models/pairs:predict" in content["paths"]
    for path, methods in content["paths"].items():
        if "get" in methods:
            assert ask(port, "GET", path)[0] == 200
    status, headers, page = ask(port, "GET", "/")
    assert status == 200 and "default-src 'none'" in headers["Content-Security-Policy"]
    assert "/v1/models/pairs:predict" in page and "<script" not in page
    assert "//" not in page.replace("http://ADDRESS", "")
    assert ask(port, "GET", "/healthz")[2]["status"] == "ok"


def metrics(port):
    _, headers, text = ask(port, "GET", "/metrics")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    rows = [line for line in text.splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (row.rsplit(" ", 1) for row in rows)}


def test_requests_and_rows_are_counted(server):
    port = server[0]
    before = metrics(port)
    ask(port, "POST", "/v1/predict", {"inputs": ["a", "b", "c"]})
    ask(port, "POST", "/v1/predict", {"inputs": "a"})
    after = metrics(port)
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown['bertkit_requests_total{model="messages",status="200"}'] == 1
    assert grown['bertkit_requests_total{model="messages",status="422"}'] == 1
    assert grown['bertkit_rows_total{model="messages"}'] == 3
    assert grown['bertkit_request_seconds_count{model="messages"}'] == 2 and after["bertkit_queue"] == 0


def test_a_client_that_leaves_takes_its_request_along(server):
    port, answering, _ = server
    with held(answering):
        link = socket.create_connection(("127.0.0.1", port))
        body = b'{"inputs": ["a"]}'
        link.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        until(lambda: len(answering.batcher) == 1)
        link.close()
        until(lambda: len(answering.batcher) == 0)
    assert metrics(port)['bertkit_requests_total{model="messages",status="499"}'] == 1


@contextlib.contextmanager
def held(answering):
    """Keep the thread that computes busy."""
    class Slow:
        def predict(self, inputs):
            assert go.wait(60)
            return inputs

    go = threading.Event()
    job = answering.batcher.submit(Slow(), [{}])
    until(lambda: job.answers.running())
    try:
        yield
    finally:
        go.set()


def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_beyond_the_queue_one_is_told_when_to_come_again(server, wanted):
    port, answering, _ = server
    found = {}

    def client(first):
        found[first] = ask(port, "POST", "/v1/predict", {"inputs": TEXTS[first:]})

    threads = [threading.Thread(target=client, args=(first,)) for first in range(LIMITS.queue)]
    with held(answering):
        for thread in threads:
            thread.start()
        until(lambda: len(answering.batcher) == LIMITS.queue)
        status, headers, content = ask(port, "POST", "/v1/predict", {"inputs": ["a"]})
        assert status == 429 and int(headers["Retry-After"]) >= 1 and "4 requests wait already" in content["error"]
    for thread in threads:
        thread.join()
    assert len(found) == LIMITS.queue
    for first, (status, _, content) in found.items():           # these requests were one batch
        assert status == 200
        np.testing.assert_allclose(numbers(content["answers"]), numbers(wanted)[first:], atol=1e-5)
    assert ask(port, "POST", "/v1/predict", {"inputs": ["a"]})[0] == 200


def test_one_model_takes_the_place_of_another(server, capsys):
    port, answering, room = server
    before = ask(port, "GET", "/healthz")[2]["models"]
    with held(answering):
        found = []
        asking = threading.Thread(target=lambda: found.append(ask(port, "POST", "/v1/predict", {"inputs": ["good"]})))
        asking.start()
        until(lambda: len(answering.batcher) == 1)
        os.remove(room / "messages")
        (room / "messages").symlink_to(exported.bundled(seed=3))
        answering.models.reload()
        os.remove(room / "pairs")
        (room / "pairs").mkdir()
        answering.models.reload()
    asking.join()
    after = ask(port, "GET", "/healthz")[2]["models"]
    assert found[0][0] == 200 and after["pairs"] == before["pairs"] and after["messages"] != before["messages"]
    later = ask(port, "POST", "/v1/predict", {"inputs": ["good"]})[2]["answers"]
    assert np.abs(numbers(later) - numbers(found[0][2]["answers"])).max() > 1e-3
    said = capsys.readouterr().err
    assert f"messages is now {after['messages']}" in said and "pairs was not loaded again" in said


# ------------------------------------------------------------------------------ before and beside the socket


def test_two_folders_of_one_name_are_refused(tmp_path):
    from bertkit.serving.models import Models
    with pytest.raises(Error, match="have one name, a, by which they are asked"):
        Models([tmp_path / "a", tmp_path / "b" / "a"])


def test_an_address_that_cannot_be_had():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Error, match=f"127.0.0.1 port {port} cannot be listened at"):
            bind("127.0.0.1", port)
    with pytest.raises(Error, match="is no address"):
        bind("no such host", 0)


def test_a_missing_package_is_named(monkeypatch):
    from bertkit.serving import serve, start
    monkeypatch.setattr(start, "find_spec", lambda name: None if name == "uvicorn" else True)
    with pytest.raises(Error, match="bertkit serve needs uvicorn, which is not installed"):
        serve(["a"])


def test_a_request_that_fails_does_not_harm_those_beside_it():
    from bertkit.serving.batching import Batcher

    class Model:
        def __init__(self):
            self.go, self.batches = threading.Event(), []

        def predict(self, inputs):
            self.go.wait(20)
            self.batches.append(list(inputs))
            if "bad" in inputs:
                raise ValueError("bad")
            return [{"it": each} for each in inputs]

    model, batcher = Model(), Batcher(9)
    jobs = [batcher.submit(model, rows) for rows in (["first"], ["a", "b"], ["bad"], ["c"])]
    model.go.set()
    assert [job.answers.result(20) for job in (jobs[0], jobs[1], jobs[3])] == [
        [{"it": "first"}], [{"it": "a"}, {"it": "b"}], [{"it": "c"}]]
    assert str(jobs[2].answers.exception(20)) == "bad"
    assert len(max(model.batches, key=len)) >= 4            # those that waited were tried together
    batcher.close()


def test_what_waits_when_the_batcher_closes_is_answered():
    from bertkit.serving.batching import Batcher, Busy

    class Model:
        def predict(self, inputs):
            time.sleep(0.01)
            return inputs

    batcher = Batcher(3)
    jobs = []
    with pytest.raises(Busy):
        for number in range(1000):
            jobs.append(batcher.submit(Model(), [number]))
    batcher.close()
    assert [job.answers.result(0) for job in jobs] == [[number] for number in range(len(jobs))]
