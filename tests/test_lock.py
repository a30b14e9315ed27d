"""One process for each output; what dead processes left beside it goes, what a living one writes stays."""

import os
import signal
import subprocess
import sys
import time

import pytest

from bertkit.errors import Error
from bertkit.files import lock
from bertkit.files.atomic import write_bytes
from bertkit.files.folders import check_replaceable, new_folder

HOLDS = ("import sys, time; from bertkit.files import lock\n"
         "lock.hold(sys.argv[1]); print('held', flush=True); time.sleep(60)")
WRITES = ("import sys, time; from bertkit.files.folders import new_folder\n"
          "with new_folder(sys.argv[1]): print('held', flush=True); time.sleep(60)")


def started(code, *words):
    child = subprocess.Popen([sys.executable, "-c", code, *map(str, words)], stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    return child


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(lock.Lock.__init__, "__defaults__", (0,))


def test_a_second_process_is_refused_until_the_first_is_killed(tmp_path, impatient):
    child = started(HOLDS, tmp_path / "out")
    try:
        with pytest.raises(Error, match=r"out is in use by another bertkit that runs now; wait for it, or choose"):
            lock.hold(tmp_path / "out")
    finally:
        child.kill()
        child.wait()
    lock.hold(tmp_path / "out")
    lock.hold(tmp_path / "out")                     # the same process may, twice
    lock.release(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"] and not any((tmp_path / "out").iterdir())


def test_a_process_that_was_just_killed_is_waited_for(tmp_path):
    child = started(HOLDS, tmp_path / "out")
    began = time.monotonic()
    subprocess.Popen([sys.executable, "-c", f"import os, time; time.sleep(0.5); os.kill({child.pid}, 9)"])
    lock.hold(tmp_path / "out")
    assert 0.3 < time.monotonic() - began < lock.PATIENCE
    child.wait()
    lock.release(tmp_path / "out")


def test_a_folder_that_was_removed_and_made_again_is_locked_again(tmp_path, impatient):
    lock.hold(tmp_path / "out")
    (tmp_path / "out").rmdir()
    lock.hold(tmp_path / "out")
    assert lock._HELD[str(tmp_path / "out")].holds(tmp_path / "out")
    lock.release(tmp_path / "out")


@pytest.mark.parametrize("place", ["/proc/evil", "file/out"])
def test_a_place_that_cannot_be_made_is_one_sentence(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(Error, match="cannot be written"):
        lock.hold(tmp_path / place)


def dead():
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    return child.pid


def test_what_a_dead_process_left_is_removed_and_nothing_else(tmp_path):
    gone = dead()
    for name in (f".out.tmp{gone}", f".out.gone.tmp{gone}", f".out.tmp{os.getpid()}", f".other.tmp{gone}", "out.tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / f".out.old.tmp{gone}").write_text("the bundle that was there")
    (tmp_path / ".out.tmpfile").write_text("no number")
    lock.remove_dead(tmp_path / "out")
    assert (tmp_path / "out").read_text() == "the bundle that was there"
    assert {path.name for path in tmp_path.iterdir()} == {
        "out", f".out.tmp{os.getpid()}", f".other.tmp{gone}", "out.tmp", ".out.tmpfile"}


def test_what_a_living_process_writes_stays_until_it_is_killed(tmp_path):
    child = started(WRITES, tmp_path / "out")
    temporary, = tmp_path.iterdir()
    os.utime(temporary, (0, 0))                     # it works for hours already
    lock.remove_dead(tmp_path / "out")
    assert temporary.exists()
    child.send_signal(signal.SIGKILL)
    child.wait()
    with new_folder(tmp_path / "out"):
        assert not temporary.exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_written_file_takes_the_dead_names_of_it_away(tmp_path):
    (tmp_path / f".a.json.tmp{dead()}").write_text("half")
    write_bytes(tmp_path / "a.json", b"{}")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_dangling_link_and_a_name_that_is_too_long_are_refused_before_anything_is_done(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(Error, match="is a link to something that is not there"):
        check_replaceable(tmp_path / "link")
    with pytest.raises(Error, match="has a name of more than 220 bytes"):
        check_replaceable(tmp_path / ("é" * 120))
