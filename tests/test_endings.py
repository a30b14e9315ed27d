"""How processes end: by signals, with streams that are closed, full or read by nobody, and after an error at all."""

import os
import signal
import subprocess
import sys
import time

import pytest

from bertkit.terminal import Ended, escaped, run_guarded, say

COST = [sys.executable, "-m", "bertkit", "cost"]
WORKS = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)      # ignored in what a shell runs in the background
from bertkit.files.folders import new_folder
from bertkit.terminal import run_guarded

def work():
    with new_folder(sys.argv[1]) as place:
        (place / "half").write_text("half")
        print("working", flush=True)
        time.sleep(60)

raise SystemExit(run_guarded(work))
"""
HANGS = """
import sys, time
from bertkit import terminal
from bertkit.errors import Error

class Hangs:
    def __del__(self, sleep=time.sleep):
        sleep(50)

terminal._PATIENCE = 1

def fails():
    raise Error("This is wrong.")

code = terminal.run_guarded(fails)
sys.hangs = Hangs()         # it is destroyed while Python is torn down
raise SystemExit(code)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_nothing_half_done(tmp_path, number):
    child = subprocess.Popen([sys.executable, "-c", WORKS, str(tmp_path / "out")], stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "working\n"
    child.send_signal(number)
    _, said = child.communicate(timeout=20)
    assert child.returncode == 128 + number and not any(tmp_path.iterdir())
    assert said.startswith("bertkit: ") and said.endswith("; the same command again goes on where it can.\n")
    assert said.count("\n") == 1 and (number == signal.SIGINT or number.name in said)


def test_nohup_is_obeyed(tmp_path):
    code = "import signal; signal.signal(signal.SIGHUP, signal.SIG_IGN)\n" + WORKS.replace("sleep(60)", "sleep(1)")
    child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "out")], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "working\n"
    child.send_signal(signal.SIGHUP)
    assert child.wait(20) == 0 and (tmp_path / "out" / "half").exists()


def test_the_handlers_of_others_stay():
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)]

    def ends():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)

    assert run_guarded(ends) == 128 + signal.SIGTERM
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)] == before
    assert not issubclass(Ended, Exception)             # no `except Exception` goes on after it


def test_a_process_that_ended_by_an_error_does_end():
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=40)
    assert time.monotonic() - began < 20
    assert (done.returncode, done.stderr) == (1, "bertkit: This is wrong.\n")


HOLDS = """
import sys
from bertkit import terminal

class Held:
    def __del__(self, is_finalizing=sys.is_finalizing):
        print("torn down" if is_finalizing() else "collected")

def fails():
    held = Held()
    held.itself = held          # as an iterator does, whose frame the traceback keeps
    raise terminal.Error("This is wrong.")

raise SystemExit(terminal.run_guarded(fails))
"""


def test_what_an_error_held_is_gone_before_python_is_torn_down():
    done = subprocess.run([sys.executable, "-c", HOLDS], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "collected\n")


@pytest.mark.parametrize("words, closed, code", [
    (["nonsense"], "2>&-", 1), (["nonsense"], "2>/dev/full", 1), (["bert-base-uncased", "--json"], "2>&-", 0),
    (["bert-base-uncased"], "2>/dev/full", 0), (["bert-base-uncased"], "0<&- 2>&-", 0)])
def test_standard_error_that_is_closed_or_full_ends_nothing(words, closed, code):
    done = subprocess.run(["bash", "-c", f'"$@" {closed}', "-", *COST, *words], stdout=subprocess.PIPE, text=True)
    assert done.returncode == code and bool(done.stdout) == (code == 0)
    assert "bertkit:" not in done.stdout


def test_a_full_standard_output_is_one_sentence():
    done = subprocess.run(["bash", "-c", '"$@" >/dev/full', "-", *COST, "bert-base-uncased"], stderr=subprocess.PIPE,
                          text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "No space left on device" in done.stderr


def test_answers_need_a_standard_output():
    done = subprocess.run(["bash", "-c", '"$@" >&-', "-", *COST[:-1], "predict", "nowhere"], stderr=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True)
    assert done.returncode == 1 and done.stderr.count("\n") == 1


@pytest.mark.parametrize("options", [[], ["-u"]], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("words", [["--help"], ["classify", "--help"], ["--version"], ["cost", "bert-base-uncased"]])
def test_a_reader_who_is_gone_is_no_mistake(words, options):
    read, write = os.pipe()
    os.close(read)                                      # `head -1` has had enough
    try:
        done = subprocess.run([sys.executable, *options, "-m", "bertkit", *words], stdout=write,
                              stderr=subprocess.PIPE, text=True)
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (0, "")


def test_control_characters_are_shown_and_not_obeyed(capsys):
    said = "a\x1b]0;owned\x07\x1b[2J \x9b2J\x7f \u202e \ufeff \udce9 ok\tdone"
    say(said)
    assert capsys.readouterr().err == ("a\\u001b]0;owned\\u0007\\u001b[2J \\u009b2J\\u007f \\u202e \\ufeff \\udce9 "
                                       "ok\tdone\n")
    assert escaped("Ünïcödé 中文 \U0001f600\n") == "Ünïcödé 中文 \U0001f600\n"


def test_an_answer_in_json_is_the_same_answer(capsys):
    import json

    from bertkit.cli import answers
    answer = {"label\x9b2J": "a\x1b[2J\u202e\x7f", "text": "Ünïcödé"}
    answers.print_answer(answer, as_json=True)
    printed = capsys.readouterr().out
    assert json.loads(printed) == answer and escaped(printed) == printed and "Ünïcödé" in printed
    answers.print_answer(answer)
    assert "\x1b" not in (shown := capsys.readouterr().out) and "\\u001b[2J" in shown


def test_wrong_usage_is_escaped_too():
    done = subprocess.run([*COST, "bert-base-uncased", "--\x1b[31mred"], capture_output=True, text=True)
    assert done.returncode == 2 and "\x1b" not in done.stderr and "\\u001b[31mred" in done.stderr


def test_a_disk_that_is_full_is_one_sentence_of_tensorflows_too(capsys):
    class OpError(Exception):
        pass

    OpError.__module__ = "tensorflow.python.framework.errors_impl"

    def fails(words):
        def action():
            raise OpError(words)

        return action

    assert run_guarded(fails("a/b; No space left on device")) == 1
    assert "bertkit: a file cannot be written (No space left on device)" in capsys.readouterr().err
    with pytest.raises(OpError):
        run_guarded(fails("shapes do not fit"))
