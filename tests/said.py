"""Commands given words and standard input, and what they say."""

import io
import subprocess
import sys

import pytest

from bertkit.cli import main

HOSTILE = ["good film", "", "   ", "[CLS] [SEP] [MASK] [PAD]", "z" * 5000, "\u202e\x00\x07", "a\tb", "\ufeffgood"]


def stdin(monkeypatch, content, terminal=False):
    stream = io.TextIOWrapper(io.BytesIO(content), encoding="ascii")
    monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
    monkeypatch.setattr(sys, "stdin", stream)


def usage(capsys, *words):
    """Return (exit code, output) of words that argparse answers by itself."""
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return left.value.code, "".join(capsys.readouterr())


def sentence(capsys, *words):
    """Return what a command that is given bad input says: one line on standard error and nothing else."""
    assert main([str(word) for word in words]) == 1
    out, err = capsys.readouterr()
    lines = [line for line in err.splitlines() if line.startswith("bertkit: ")]
    assert out == "" and len(lines) == 1 and "Traceback" not in err
    return lines[0]


def run(*words, **options):
    """Run a command in a process of its own."""
    return subprocess.run([sys.executable, "-m", "bertkit", *map(str, words)], capture_output=True, timeout=120,
                          **options)
