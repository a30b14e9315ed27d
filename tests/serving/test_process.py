"""`bertkit serve` as a process: signals, load, wrong usage."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from bertkit.cli import main
from tests import exported, tiny

for _package in ("starlette", "uvicorn", "prometheus_client"):
    pytest.importorskip(_package, reason="needs the extra serve")

TEXTS = tiny.texts(30)[0] * 4


@contextlib.contextmanager
def serving(*words):
    """Run the command on a free port; yield (the process, its port) when it answers."""
    command = [sys.executable, "-P", "-m", "bertkit", "serve", *map(str, words), "--port", "0", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = next(line for line in process.stderr if line.startswith("serving "))       # LiteRT says something too
        yield process, int(re.search(r":(\d+);", line)[1])
    finally:
        process.kill()
        process.communicate()


def ask(port, inputs):
    """Return (status, JSON); (0, why) where no answer came, (-1, why) where no connection was made."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.connect()
    except OSError as error:
        return -1, repr(error)
    try:
        connection.request("POST", "/v1/predict", json.dumps({"inputs": inputs}))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException) as error:
        return 0, repr(error)
    finally:
        connection.close()


def asking(port, clients, stop):
    """Let clients ask one request after the other until `stop` is set or the server is gone; return what they found."""
    found = []

    def client():
        while not stop.is_set():
            found.append(ask(port, TEXTS))
            if found[-1][0] < 0:
                return

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    return found, threads


@pytest.mark.slow
def test_sigterm_under_load_loses_nothing():
    for round_number in range(4):
        with serving(exported.bundled(), "--queue", "8") as (process, port):
            found, threads = asking(port, 16, threading.Event())
            time.sleep(0.3 + 0.37 * round_number)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
            for thread in threads:
                thread.join(60)
            counts = json.loads(process.stdout.read())
        statuses = [status for status, _ in found]
        # Who reaches the listening socket in the moment in which it is closed has sent nothing that was accepted.
        lost = [why for status, why in found if status == 0]
        assert not lost, lost
        assert set(statuses) <= {200, 429, -1} and statuses.count(200) == counts["requests"] > 0
        assert all(len(content["answers"]) == len(TEXTS) for status, content in found if status == 200)


@pytest.mark.slow
def test_ten_times_the_load_is_answered_or_refused():
    with serving(exported.bundled(), "--queue", "2") as (process, port):
        stop = threading.Event()
        found, threads = asking(port, 40, stop)
        time.sleep(5)
        process.send_signal(signal.SIGHUP)              # the same bundle again, beside the load
        time.sleep(5)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert "is now" in process.stderr.readline()
        assert ask(port, ["good"])[0] == 200
    statuses = [status for status, _ in found]
    assert set(statuses) == {200, 429}, [content for status, content in found if status not in (200, 429)][:3]
    assert all(len(content["answers"]) == len(TEXTS) for status, content in found if status == 200)


@pytest.mark.slow
def test_an_exported_folder_is_served_without_tensorflow():
    from bertkit import ondevice
    folder = exported.phone()
    with serving(folder) as (process, port):
        assert ask(port, TEXTS[:5]) == (200, {"answers": ondevice.load(folder).predict(TEXTS[:5])})
        if os.path.exists(f"/proc/{process.pid}/maps"):
            with open(f"/proc/{process.pid}/maps") as file:
                assert "libtensorflow" not in file.read()


def test_what_is_wrong_is_told_before_a_model_is_loaded(tmp_path, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", str(tmp_path), "--port", str(taken.getsockname()[1])]) == 1
    assert "cannot be listened at" in capsys.readouterr().err
    assert main(["serve", str(tmp_path), "--port", "70000"]) == 1
    assert "port=70000; give a whole number of 0 to 65535" in capsys.readouterr().err
    assert main(["serve", str(tmp_path), "--queue", "0"]) == 1
    assert "queue=0" in capsys.readouterr().err
    assert main(["serve", str(tmp_path), "--port", "0"]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
