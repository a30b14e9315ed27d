"""The tutorials do what they say: each is run from its first block to its last, in an empty folder."""

import doctest
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIALS = sorted((Path(__file__).resolve().parents[1] / "docs" / "tutorials").glob("[!i]*.md"))
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
RUNS = {"python": [sys.executable, "-"], "bash": ["bash", "-euo", "pipefail", "-s"]}


def run(language, source, folder):
    """Return what a block prints; raises AssertionError with its error stream if it fails."""
    paths = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"        # `bertkit` and `python` are ours
    done = subprocess.run(RUNS[language], input=source, cwd=folder, env=os.environ | {"PATH": paths}, text=True,
                          encoding="utf-8", capture_output=True, check=False)
    assert done.returncode == 0, f"{source}\n{done.stderr}"
    return done.stdout


def differences(text, folder):
    """Run the blocks of a page; return (block, printed) where that is not the text below, in which ... is anything."""
    wrong, source, printed = [], "", ""
    for language, block in BLOCK.findall(text):
        if language != "text":
            source, printed = block, run(language, block, folder)
        elif not doctest.OutputChecker().check_output(block, printed, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE):
            wrong.append((source, printed))
    return wrong


@pytest.mark.slow
@pytest.mark.parametrize("path", TUTORIALS, ids=lambda path: path.stem)
def test_a_tutorial_does_what_it_says(path, tmp_path):
    wrong = differences(path.read_text(encoding="utf-8"), tmp_path)
    assert not wrong, "\n".join(f"{block}\nprinted\n{printed}" for block, printed in wrong)


def test_a_wrong_page_is_seen(tmp_path):
    page = "```bash\necho 0.91 > score; cat score\n```\n```text\n{}\n```\n"
    assert differences(page.format("0..."), tmp_path) == []
    assert differences(page.format("1..."), tmp_path) == [("echo 0.91 > score; cat score\n", "0.91\n")]
    with pytest.raises(AssertionError, match="absent"):
        differences("```bash\ncat absent | cat\n```\n", tmp_path)
    with pytest.raises(AssertionError, match="NameError"):
        differences("```python\nabsent\n```\n", tmp_path)


def test_there_are_tutorials():
    assert len(TUTORIALS) >= 5
