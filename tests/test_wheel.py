"""The wheel holds what the checkout has: every package, its data, py.typed; and nothing else."""

import re
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = {"bertkit": "bertkit", "recipes": "bertkit/recipes", "saved_models": "bertkit/saved_models"}
DATA = (".npz", ".tsv", ".json", ".html", ".css", ".js", ".safetensors", ".txt")


def held():
    """Return the files of the checkout that belong into a wheel, by their path there."""
    found = set()
    for folder, place in FOLDERS.items():
        for path in (ROOT / folder).rglob("*"):
            own = path.relative_to(ROOT / folder)
            if folder == "saved_models" and len(own.parts) > 1 and own.parts[0] != "english":
                continue                                # somebody's own models
            if path.suffix in (".py", *DATA) or path.name == "py.typed":
                found.add(f"{place}/{own.as_posix()}")
    return found


@pytest.mark.slow
def test_the_wheel_holds_every_file_and_no_test(tmp_path):
    copy = tmp_path / "source"                          # a build leaves files behind
    ignore = shutil.ignore_patterns(".*", "*.egg-info", "build", "dist", "__pycache__", "tests", "bertkit-demo")
    shutil.copytree(ROOT, copy, ignore=ignore)
    subprocess.run([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path),
                    str(copy)], check=True, timeout=600)
    wheel, = tmp_path.glob("*.whl")
    inside = set(zipfile.ZipFile(wheel).namelist())
    assert held() - inside == set()
    assert {name.split("/")[0] for name in inside} == {"bertkit", wheel.name.removesuffix("-py3-none-any.whl")
                                                       + ".dist-info"}


def test_what_belongs_into_a_wheel_is_found():
    assert {"bertkit/py.typed", "bertkit/pretraining/run.py", "bertkit/recipes/classify.py",
            "bertkit/text/unicode/codepoints.npz", "bertkit/data/demo/train.tsv",
            "bertkit/saved_models/english/weights.safetensors"} <= held()


def test_the_pythons_of_setup_cfg_makefile_and_readme_are_the_same():
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    classified = re.findall(r"Python :: (3\.\d+)", settings["metadata"]["classifiers"])
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", settings["options"]["python_requires"]).groups()
    assert classified == [f"3.{minor}" for minor in range(int(low), int(high))]
    script = (ROOT / "scripts" / "environment.sh").read_text(encoding="utf-8")
    assert f"(3, {low}) <= sys.version_info[:2] <= (3, {int(high) - 1})" in script
    words = f"{', '.join(classified[:-1])} or {classified[-1]}"
    assert words in script and words in (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"python{version}" in script for version in classified)
