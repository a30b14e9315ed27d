"""Whether an answer abstains, and which labels belong to its set: every client says what Python says."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from bertkit import ondevice
from bertkit.tasks.classification import Classification
from bertkit.tasks.registry import metadata
from tests.ondevice import test_java, test_native
from tests.ondevice.test_java import CORPUS, alike, changed, jar  # noqa: F401  (a fixture)
from tests.ondevice.test_native import built  # noqa: F401  (a fixture)
from tests.ondevice.test_web_client import NODE, WEB, asked

SCRIPT = """
import { readFileSync, writeSync } from "node:fs";
const { Classification } = await import(process.argv[1]);
const { settings, outputs } = JSON.parse(readFileSync(0, "utf8"));
writeSync(1, JSON.stringify(new Classification(settings).answers(outputs)));
"""


@pytest.fixture(scope="module")
def phone(tmp_path_factory):
    """Return (a folder whose task has limits, texts, what Python answers, the task)."""
    if not (CORPUS / "answers/classify").exists():
        pytest.skip("needs tflite/conformance")
    folder = tmp_path_factory.mktemp("limits") / "phone"
    shutil.copytree(CORPUS / "answers/classify", folder)
    given = [json.loads(line) for line in (CORPUS / "answers/classify.jsonl").read_text().split("\n") if line]
    texts = [row["input"] for row in given if not set("\n\r\t") & set(row["input"])]
    p = np.sort([list(row["answer"]["probabilities"].values()) for row in given], axis=1)
    task = replace(ondevice.load(folder).task, abstain_below=_between(p[:, 2]), set_from=_between(p[:, 1]))
    changed(task=metadata(task))(folder)
    return folder, texts, ondevice.load(folder).predict(texts), task


def _between(numbers):
    """Return the middle of the widest gap, far from where rounding decides, between the 20th and 80th per cent."""
    numbers = np.sort(numbers)[len(numbers) // 5:-(len(numbers) // 5)]
    place = np.diff(numbers).argmax()
    return float(numbers[place:place + 2].mean())


def test_python_says_both(phone):
    _, _, wanted, _ = phone
    assert {answer["abstain"] for answer in wanted} == {True, False} and len({len(one["set"]) for one in wanted}) > 1


@pytest.mark.slow
def test_the_client_in_java(phone, jar):  # noqa: F811
    folder, texts, wanted, _ = phone
    found = test_java.rows(test_java.java(jar, "bertkit.Cli", folder, stdin="".join(f"{text}\n" for text in texts)))
    assert alike(found, wanted)


@pytest.mark.slow
def test_the_library_in_c(phone, built):  # noqa: F811
    folder, texts, wanted, _ = phone
    assert alike(test_native.answered(test_native.run(built, folder, lines=texts)), wanted)


@pytest.mark.slow
@pytest.mark.skipif(NODE is None, reason="node is not on this machine")
def test_the_client_in_javascript(phone):
    _, _, wanted, task = phone
    outputs = [list(answer["probabilities"].values()) for answer in wanted]
    found = asked("--input-type=module", "-e", SCRIPT, (WEB / "src/tasks/classify.js").as_uri(),
                  given={"settings": metadata(task), "outputs": outputs})
    assert alike(found, wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["abstain_below", "set_from"])
def test_a_limit_that_is_no_probability_is_refused(tmp_path, phone, built, jar, name):  # noqa: F811
    folder, _, _, task = phone
    shutil.copytree(folder, tmp_path / "phone")
    changed(task={**metadata(Classification(task.labels)), name: 2})(tmp_path / "phone")
    for done in (test_native.run(built, tmp_path / "phone", lines=["a"]),
                 test_java.java(jar, "bertkit.Cli", tmp_path / "phone", stdin="a\n")):
        assert done.returncode == 1 and name in done.stderr.decode() and "0 to 1" in done.stderr.decode()
