"""The library in C: built with sanitizers, compared with the corpus, and given noise."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from bertkit.files import manifest
from bertkit.files.atomic import write_json
from bertkit.ondevice.runner import write_facts
from bertkit.tasks.classification import Classification
from tests.ondevice.test_java import LIBRARY, REFUSED, alike, drawn_texts, first, folder_of, of_other_words, tokenizers

pytestmark = pytest.mark.slow         # builds with another compiler
ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tflite/conformance"
# LiteRT itself frees less than it takes.
ENVIRONMENT = os.environ | {"LITERT_LIBRARY": LIBRARY, "ASAN_OPTIONS": "detect_leaks=0"}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build with sanitizers, outside the checkout; return the folder."""
    if missing := [name for name in ("make", "gcc", "python3") if not shutil.which(name)]:
        pytest.skip(f"needs {missing[0]}")
    build = tmp_path_factory.mktemp("native")
    done = subprocess.run(["make", "-C", ROOT / "tflite/native", "check", f"BUILD={build}"], capture_output=True,
                          text=True)
    if "sanitize" in done.stderr and "cannot find" in done.stderr:
        pytest.skip("needs the libraries of the sanitizers")
    assert done.returncode == 0, done.stderr[-2000:]
    return build / "check"


def run(built, *arguments, lines=(), environment=None):
    text = "".join(line + "\n" for line in lines)
    return subprocess.run([built / "bertkit", *arguments], input=text.encode(), capture_output=True,
                          env=environment or ENVIRONMENT)


def answered(done):
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return [json.loads(line) for line in done.stdout.decode().removesuffix("\n").split("\n")]


def read(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def corpus(pattern):
    return sorted(CORPUS.glob(pattern)) or [pytest.param(None, marks=pytest.mark.skip("needs tflite/conformance"))]


@pytest.mark.parametrize("path", [*corpus("*.jsonl"), *corpus("more/*.jsonl")], ids=lambda path: path and path.stem)
def test_ids_and_offsets_are_those_of_the_corpus(built, path):
    given = [row for row in read(path) if "\n" not in row["text"]]
    leaks = {key: value for key, value in ENVIRONMENT.items() if key != "ASAN_OPTIONS"}
    found = answered(run(built, "--encode", path.with_suffix(""), lines=[row["text"] for row in given],
                         environment=leaks))
    odd = [row["text"] for row, one in zip(given, found, strict=True)
           if (row["ids"], row["offsets"]) != (one["ids"], one["offsets"])]
    assert not odd, odd[:3]


@pytest.mark.parametrize("path", corpus("answers/*.jsonl"), ids=lambda path: path and path.stem)
def test_answers_are_those_of_the_corpus(built, path):
    def line(row):
        return row["input"] if isinstance(row["input"], str) else "\t".join(row["input"])

    def is_line(row):
        texts = [row["input"]] if isinstance(row["input"], str) else row["input"]
        return not any(c in text for text in texts for c in "\n\r\t")

    given = [row for row in read(path) if is_line(row)]
    found = answered(run(built, path.with_suffix(""), lines=map(line, given)))
    assert len(found) == len(given) > 30
    assert not [row["input"] for row, one in zip(given, found, strict=True) if not alike(one, row["answer"])]


@pytest.mark.slow
@pytest.mark.parametrize("name", tokenizers())
def test_ids_and_offsets_are_those_of_the_tokenizer(built, tmp_path, name):
    tokenizer, texts = tokenizers()[name], drawn_texts(seed=9, count=150)
    write_facts(tmp_path, tokenizer, Classification(("no", "yes")), [16])
    for text, row, wanted in zip(texts, answered(run(built, "--encode", tmp_path, lines=texts)),
                                 tokenizer.encode(texts), strict=True):
        assert row == {"ids": wanted.ids, "offsets": [list(pair) for pair in wanted.offsets]}, text


def test_words_of_other_rules_are_refused(built, tmp_path):
    for tokenizer in of_other_words():
        write_facts(tmp_path, tokenizer, Classification(("no", "yes")), [16])
        done = run(built, "--encode", tmp_path, lines=["a"])
        assert done.returncode == 1 and "cuts words by other rules than GPT-2's" in done.stderr.decode()


@pytest.mark.parametrize("name", tokenizers())
def test_noise_does_no_harm(built, tmp_path, name):
    write_facts(tmp_path, tokenizers()[name], Classification(("no", "yes")), [16])
    done = subprocess.run([built / "fuzz", tmp_path, "3", "400"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "400 texts\n"), done.stderr[-2000:]


@pytest.mark.parametrize("name", first(REFUSED, 4))
def test_a_broken_folder_is_refused_in_one_sentence(built, tmp_path, name):
    breaks, _ = REFUSED[name]
    folder = folder_of(tmp_path / "phone")
    breaks(folder)
    done = run(built, folder, lines=["a film"])
    last = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 1 and not done.stdout and last.endswith("."), (done.returncode, last)


def test_a_damaged_model_is_refused_and_not_read(built, tmp_path):
    source = CORPUS / "answers/classify"
    if not source.exists():
        pytest.skip("needs tflite/conformance")
    content, chance = (source / "model.tflite").read_bytes(), random.Random(4)
    folder = Path(shutil.copytree(source, tmp_path / "phone"))
    facts = json.loads((folder / "ondevice.json").read_text())
    facts.pop("sum")
    for length in (0, 4, 100, 1000, len(content) // 2, len(content) - 100):
        noise = bytearray(content[:length])
        for _ in range(length and 8):
            noise[chance.randrange(length)] = chance.randrange(256)
        (folder / "model.tflite").write_bytes(noise)
        facts["files"] |= manifest.describe(folder, ["model.tflite"])
        write_json(folder / "ondevice.json", facts, signed=True)
        done = run(built, folder, lines=["a film"])
        assert done.returncode == 1 and b"is no model that LiteRT can run" in done.stderr, length
