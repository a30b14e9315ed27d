"""Runs as processes: two with one --out, ended by signals, a sweep whose own process is killed alone."""

import hashlib
import signal
import subprocess
import sys
import time

import pytest

from tests.recipes.classifying import made, words

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return made(tmp_path_factory.mktemp("processes"))


def started(arguments, **options):
    # `nohup` in front of the tests leaves SIGHUP ignored in all that they start
    return subprocess.Popen([sys.executable, "-m", "bertkit", *arguments], stderr=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True,
                            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL), **options)


def ended(child):
    _, said = child.communicate(timeout=300)
    assert "Traceback" not in said, said
    return child.returncode, said


def contents(out):
    """Return the checksums of what holds no date, no time and no path."""
    return {name: hashlib.sha256((out / name).read_bytes()).hexdigest()
            for name in ("weights.safetensors", "vocab.txt")}


def wait_for(out, pattern, child):
    for _ in range(3000):
        if any(out.glob(pattern)):
            return
        assert child.poll() is None, child.communicate()[1]
        time.sleep(0.05)
    raise AssertionError(f"{out} holds no {pattern}")


@pytest.fixture(scope="module")
def undisturbed(place):
    assert ended(started(words(place, place / "whole" / "out", epochs=8)))[0] == 0
    return contents(place / "whole" / "out")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_leaves_what_resumes(place, undisturbed, number):
    out = place / number.name / "out"
    child = started(words(place, out, epochs=8))
    wait_for(out.with_name("out.tmp"), "state-*2.json", child)
    child.send_signal(number)
    code, said = ended(child)
    assert code == (-number if number == signal.SIGKILL else 128 + number) and not out.exists(), said
    code, said = ended(started(words(place, out, epochs=8)))
    assert code == 0 and "Resuming after epoch" in said and contents(out) == undisturbed
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_the_second_of_two_runs_is_refused_before_it_trains(place, undisturbed):
    out = place / "two" / "out"
    first = started(words(place, out, epochs=8))
    wait_for(out.with_name("out.tmp"), "state-*1.json", first)
    first.send_signal(signal.SIGSTOP)                   # so that it does not end meanwhile
    code, said = ended(started(words(place, out, epochs=8)))
    first.send_signal(signal.SIGCONT)
    assert code == 1 and "out.tmp is in use by another bertkit that runs now" in said and "epoch" not in said
    assert ended(first)[0] == 0 and contents(out) == undisturbed
    assert [path.name for path in out.parent.iterdir()] == ["out"]


def test_a_sweep_whose_own_process_is_killed_goes_on(place):
    out = place / "swept" / "out"
    out.parent.mkdir()
    command = ["sweep", "classify", "--out", str(out), "--over", "learning_rate=1e-3,2e-3", "--", "--model",
               str(place / "encoder"), "--train", str(place / "train.tsv"), "--dev", str(place / "dev.tsv"), "--epochs",
               "6", "--batch-size", "8", "--length", "16"]
    child = started(command)
    wait_for(out, "trials/*.tmp/state-*", child)
    child.kill()
    ended(child)
    code, said = ended(started(command))
    assert code == 0, said
    left = {path.name for path in (out / "trials").iterdir() if ".tmp" in path.name}
    assert not left and {path.name for path in out.iterdir()} >= {"summary.json", "table.tsv", "sweep.html"}


def test_a_run_that_diverges_leaves_nothing(place):
    out = place / "diverged" / "out"
    arguments = words(place, out, epochs=2)
    arguments[arguments.index("--learning-rate") + 1] = "1e30"
    code, said = ended(started(arguments))
    assert code == 1 and "diverged" in said and not any(out.parent.iterdir())
