"""What a person sees: one sentence about a mistake, no traceback; a fault of ours is not hidden."""

import errno
import itertools
import os
import sys
from importlib import util

import pytest

from bertkit import terminal
from bertkit.errors import Error
from bertkit.terminal import QuietTensorFlow, quiet, run_guarded, say, with_progress


def raising(error):
    def action():
        raise error

    return action


def test_what_goes_well_is_0(capfd):
    assert run_guarded(lambda: None) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("error, code, words", [
    (Error("epochs=0\n   trains nothing."), 1, "bertkit: epochs=0 trains nothing.\n"),
    (KeyboardInterrupt(), 130, "bertkit: interrupted; the same command again goes on where it can.\n"),
    (OSError(errno.ENOSPC, "No space left on device", "x.tmp"), 1,
     "bertkit: x.tmp: No space left on device; free some room, or choose another folder.\n"),
    (OSError(errno.ENOSPC, "No space left on device"), 1,
     "bertkit: the disk: No space left on device; free some room, or choose another folder.\n"),
    (PermissionError(errno.EACCES, "Permission denied", "/x"), 1,
     "bertkit: /x: Permission denied; free some room, or choose another folder.\n"),
    (OSError(errno.ENAMETOOLONG, "File name too long", "nnn"), 1,
     "bertkit: nnn: File name too long; free some room, or choose another folder.\n"),
], ids=lambda part: type(part).__name__)
def test_a_mistake_is_one_sentence(capfd, error, code, words):
    assert run_guarded(raising(error)) == code
    assert capfd.readouterr() == ("", words)


@pytest.mark.parametrize("error", [ValueError("ours"), OSError(errno.EIO, "Input/output error"), KeyError("ours")])
def test_a_fault_of_ours_is_not_hidden(error):
    with pytest.raises(type(error)):
        run_guarded(raising(error))


def test_quiet_swallows_what_libraries_write_and_no_more(capfd):
    with quiet():
        os.write(2, b"from a library\n")
        sys.stdout.write("an answer\n")
    say("after")
    assert capfd.readouterr() == ("an answer\n", "after\n")


@pytest.mark.parametrize("level, heard", [("0", "from a library\n"), ("2", "from a library\n"), ("3", "")])
def test_quiet_lets_through_what_is_asked_for(capfd, monkeypatch, level, heard):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    with quiet():
        os.write(2, b"from a library\n")
    assert capfd.readouterr().err == heard


def test_quiet_without_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with quiet():
        pass


def test_tensorflow_is_loaded_quietly_wherever_it_lies(tmp_path, monkeypatch, capfd):
    (tmp_path / "tensorflow.py").write_text("import os\nos.write(2, b'noise')\nos.write(1, b'loaded')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    finder = next(finder for finder in sys.meta_path if isinstance(finder, QuietTensorFlow))
    assert finder.find_spec("tensorboard") is None and finder.find_spec("tensorflow.python") is None
    spec = finder.find_spec("tensorflow")
    spec.loader.exec_module(util.module_from_spec(spec))
    assert capfd.readouterr() == ("loaded", "") and sys.meta_path.count(finder) == 1
    monkeypatch.setattr(sys, "meta_path", [finder])
    assert finder.find_spec("tensorflow") is None and sys.meta_path == [finder]


def test_quiet_ends_with_an_error_too(capfd):
    with pytest.raises(Error), quiet():
        raise Error("x")
    say("after")
    assert capfd.readouterr().err == "after\n"


@pytest.mark.parametrize("seconds, lines", [
    (1, []), (4, ["answered 6 of 8, 4 s left", "answered 8 of 8, 0 s left"]),
    (20, ["answered 2 of 8, 60 s left", "answered 4 of 8, 40 s left", "answered 6 of 8, 20 s left",
          "answered 8 of 8, 0 s left"])])
def test_long_work_says_how_far_it_is(monkeypatch, capsys, seconds, lines):
    """Each chunk of two rows takes so many seconds."""
    clock = itertools.count(0, seconds)
    monkeypatch.setattr(terminal.time, "monotonic", lambda: next(clock))
    chunks = [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert list(with_progress(chunks, 8, "answered")) == chunks
    assert capsys.readouterr().err.splitlines() == lines
