"""What is said of a package that is not installed, and of a system that has no wheels."""

import platform
import re
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest

from bertkit import requirements
from bertkit.requirements import is_required, missing, requirement, unsupported
from bertkit.terminal import QuietTensorFlow, run_guarded

ROOT = Path(__file__).resolve().parents[1]


def named(text):
    """Return {package: requirement} of a setup.cfg's lists of requirements."""
    settings = ConfigParser()
    settings.read_string(text)
    lists = [settings["options"]["install_requires"], *settings["options.extras_require"].values()]
    lines = [line for part in lists for line in part.splitlines() if line]
    return {re.match(r"[\w-]+", line).group(): line for line in lines}


SETTINGS = named((ROOT / "setup.cfg").read_text(encoding="utf-8"))
CALLS = [(path, package) for path in ROOT.glob("bertkit/**/*.py")
         for package in re.findall(r'missing\("([\w-]+)"', path.read_text(encoding="utf-8"))]


@pytest.mark.parametrize(("path", "package"), CALLS, ids=lambda part: getattr(part, "name", part))
def test_a_package_that_is_told_to_be_missing_is_one_of_setup_cfg(path, package):
    if path.name != "requirements.py":
        assert package in SETTINGS
    name, wanted = re.match(r"([\w-]+)(.*)", requirement(package)).groups()
    assert name.replace("_", "-") == package.replace("_", "-")         # setuptools writes the one or the other
    assert sorted(wanted.split(",")) == sorted(SETTINGS[package].removeprefix(package).split(","))


def test_there_are_such_packages():
    found = {name for _, name in CALLS}
    assert {"apache-beam", "faiss-cpu", "optuna", "sentencepiece", "zstandard", "keras-nlp"} <= found


def test_no_message_names_an_extra():
    """`bertkit[beam]` is a name of a package index, which has no bertkit."""
    extras = re.compile(r"pip install [^\n]*bertkit\[")
    assert [path.name for path in ROOT.glob("bertkit/**/*.py") if extras.search(path.read_text(encoding="utf-8"))] == []
    assert extras.search('raise Error("run: pip install \\"bertkit[beam]\\"")')


def test_a_package_that_no_metadata_names_is_told_by_its_name(monkeypatch):
    assert requirement("absent") == "absent"

    def requires(name):
        raise requirements.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(requirements.metadata, "requires", requires)
    assert requirement("optuna") == "optuna" and not is_required("keras")


def test_an_error_has_another_way_out_where_there_is_one():
    assert str(missing("optuna", "This", "leave it")).endswith(' pip install "optuna>=4", or leave it.')


@pytest.mark.parametrize(("system", "machine", "library", "told"), [
    ("Linux", "x86_64", "glibc", None), ("Linux", "aarch64", "glibc", None), ("Darwin", "arm64", "", None),
    ("Darwin", "x86_64", "", "this is Darwin x86_64"), ("Windows", "AMD64", "", "on Windows in WSL"),
    ("Linux", "x86_64", "", "Linux x86_64 without glibc"), ("Linux", "armv7l", "glibc", "this is Linux armv7l")])
def test_a_system_without_wheels_is_told(monkeypatch, capsys, system, machine, library, told):
    monkeypatch.setattr(platform, "system", lambda: system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(platform, "libc_ver", lambda: (library, ""))
    said = unsupported()
    assert said is None if told is None else told in said and "bertkit runs on Linux" in said
    finder = QuietTensorFlow()
    monkeypatch.setattr(sys, "meta_path", [finder, *(each for each in sys.meta_path
                                                if not isinstance(each, QuietTensorFlow))])
    for _ in range(2):
        finder.find_spec("tensorflow")
    assert capsys.readouterr().err == ("" if told is None else f"bertkit: {said}\n")


def absent(name):
    raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_command_without_a_package_that_bertkit_needs_says_so(capsys):
    assert run_guarded(lambda: absent("keras.src")) == 1
    assert capsys.readouterr().err == ("bertkit: This command needs keras, which is not installed; run: python -m pip "
                                       f'install "{requirement("keras")}"\n')
    with pytest.raises(ModuleNotFoundError):
        run_guarded(lambda: absent("bertkit.absent"))
