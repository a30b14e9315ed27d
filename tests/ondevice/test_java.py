"""The client in Java: built by make, compared with the corpus, with `Tokenizer` and with `ondevice`."""

import importlib.util
import json
import os
import random
import re
import shutil
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from bertkit import ondevice
from bertkit.files import manifest
from bertkit.files.atomic import write_json
from bertkit.ondevice.runner import write_facts
from bertkit.tasks.classification import Classification
from bertkit.text import Tokenizer
from bertkit.text.models.bytelevel import letters
from tests import exported, tiny
from tests.text import text_references

pytestmark = pytest.mark.slow         # builds with another compiler
ROOT = Path(__file__).resolve().parents[2]
ANDROID, CORPUS = ROOT / "tflite/android", ROOT / "tflite/conformance"
LIBRARY = str(Path(importlib.util.find_spec("ai_edge_litert").origin).parent / "libLiteRt.so")
PIECES = ["<unk>", "<s>", "</s>", "<pad>", "▁", "▁the", "e", "t", "s", "▁a", "in", "▁un", "a", "ff", "able", "é", "漢",
          "▁Σ"]
ROBERTA = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": None}
ADDED = [{"content": "<e1>", "lstrip": True, "rstrip": True}, {"content": "Été", "normalized": True},
         {"content": "who", "single_word": True}]


@pytest.fixture(scope="module")
def jar(tmp_path_factory):
    """Build the jar, and beside it the classes in `check`, outside the checkout; return the jar."""
    if missing := [name for name in ("make", "javac", "jar", "java", "gcc") if not shutil.which(name)]:
        pytest.skip(f"needs {missing[0]}")
    build = tmp_path_factory.mktemp("java")
    done = subprocess.run(["make", "-C", ANDROID, "check", f"BUILD={build}"], capture_output=True, text=True)
    if "jni.h" in done.stderr:
        pytest.skip("needs the JDK's jni.h")
    assert done.returncode == 0, done.stderr[-2000:]
    return build / "bertkit.jar"


def java(jar, *arguments, stdin="", library=LIBRARY):
    """Run a class of the jar, or of `check`; return what it wrote and its exit code."""
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{jar}:{jar.parent / 'check'}", *map(str, arguments)]
    return subprocess.run(command, input=stdin.encode(), capture_output=True,
                          env=os.environ | {"LITERT_LIBRARY": library})


def rows(done):
    assert done.returncode == 0, done.stderr.decode()[-1000:]
    return [json.loads(line) for line in done.stdout.decode().removesuffix("\n").split("\n")]


def test_it_is_for_java_8_and_holds_the_bridge_and_the_tables(jar):
    with zipfile.ZipFile(jar) as archive:
        names = archive.namelist()
        versions = {struct.unpack(">H", archive.read(name)[6:8])[0] for name in names if name.endswith(".class")}
    assert versions == {52}
    assert {"bertkit/Cli.class", "bertkit/libbertkit.so", "bertkit/text/codepoints.npz"} <= set(names)


def alike(found, wanted):
    """Whether two answers are equal, numbers to 1e-4."""
    if isinstance(wanted, dict):
        return found.keys() == wanted.keys() and all(alike(found[name], wanted[name]) for name in wanted)
    if isinstance(wanted, list):
        return len(found) == len(wanted) and all(map(alike, found, wanted))
    return found == pytest.approx(wanted, abs=1e-4) if isinstance(wanted, float) else found == wanted


def compared(jar, paths):
    if not paths:
        pytest.skip("needs tflite/conformance")
    done = java(jar, "bertkit.Conformance", *(part for path in paths for part in (path.with_suffix(""), path)))
    lines = done.stdout.decode().splitlines()
    assert done.returncode == 0, "\n".join(lines[:20]) + done.stderr.decode()[-500:]
    assert len(lines) == len(paths)
    return sum(int(line.split()[2]) for line in lines)


def test_ids_and_offsets_are_those_of_the_corpus(jar):
    assert compared(jar, [*CORPUS.glob("*.jsonl"), *CORPUS.glob("more/*.jsonl")]) > 24_000


def test_answers_are_those_of_the_corpus(jar):
    assert compared(jar, [*CORPUS.glob("answers/*.jsonl")]) > 500


def tokenizers():
    words = text_references.vocabulary()
    return {"uncased": Tokenizer(words, added=ADDED), "google": Tokenizer(words, rules="google", longest_word=200),
            "cased": Tokenizer(words, lowercase=False, strip_accents=False, normalization=[["nfkc"]]),
            "bytelevel": Tokenizer([*filter(None, ROBERTA.values()), *letters(), "Ġt", "he", "Ġthe"], "bytelevel",
                                   ROBERTA, merges=["h e", "Ġ t", "Ġt he"], normalization=[["nfc"]]),
            "unigram": Tokenizer(PIECES, "unigram", ROBERTA, scores=[-float(i % 7) for i in range(len(PIECES))],
                                 normalization=[["nfkc"], ["squeeze", " "]], added=ADDED)}


def drawn_texts(seed=5, count=400):
    """Return texts without line ends: the hostile ones, parts of them in a new order, and any code points."""
    chance = random.Random(seed)
    signs = sorted(set("".join(text_references.HOSTILE)))
    texts = [*text_references.HOSTILE, "see <e1> Été who, whoever  ÉTÉ <e1>x",
             "a\u0305\u0301 e\u0305\u0323\u0301 o  b   c"]
    texts += ["".join(chance.choices(signs, k=chance.randrange(1, 40))) for _ in range(count)]
    texts += ["".join(chr(chance.choice([chance.randrange(0xD800), chance.randrange(0xE000, 0x110000)]))
                      for _ in range(chance.randrange(1, 30))) for _ in range(count)]
    return [re.sub("\n", " ", text) for text in texts]


@pytest.mark.parametrize("name", ["uncased", "bytelevel", "unigram", *(
    pytest.param(name, marks=pytest.mark.slow) for name in ("google", "cased"))])
def test_ids_and_offsets_are_those_of_the_tokenizer(jar, tmp_path, name):
    tokenizer, texts = tokenizers()[name], drawn_texts()
    write_facts(tmp_path, tokenizer, Classification(("no", "yes")), [16])
    found = rows(java(jar, "bertkit.Cli", "--encode", tmp_path, stdin="".join(text + "\n" for text in texts)))
    for text, row, wanted in zip(texts, found, tokenizer.encode(texts), strict=True):
        assert row == {"ids": wanted.ids, "offsets": [list(pair) for pair in wanted.offsets]}, text


def of_other_words():
    """Return byte-level tokenizers that the clients do not know: with LLaMA's words, and with whole words."""
    entries = [*filter(None, ROBERTA.values()), *letters()]
    return [Tokenizer(entries, "bytelevel", ROBERTA, merges=[], **more) for more in ({"words": "llama3"},
                                                                                    {"whole_words": True})]


def test_words_of_other_rules_are_refused(jar, tmp_path):
    for tokenizer in of_other_words():
        write_facts(tmp_path, tokenizer, Classification(("no", "yes")), [16])
        done = java(jar, "bertkit.Cli", "--encode", tmp_path, stdin="a\n")
        assert done.returncode == 1 and "cuts words by other rules than GPT-2's" in done.stderr.decode()


def test_invalid_utf8_is_read_as_python_reads_it(jar, tmp_path):
    write_facts(tmp_path, tokenizers()["bytelevel"], Classification(("no", "yes")), [16])
    chance = random.Random(6)
    lines = [bytes(chance.choice([*b"ab \xc2\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xed\xa0\xff"]) for _ in range(12))
             for _ in range(300)]
    done = subprocess.run(["java", "-cp", jar, "bertkit.Cli", "--encode", tmp_path], input=b"\n".join(lines) + b"\n",
                          capture_output=True)
    for row, wanted in zip(rows(done), tokenizers()["bytelevel"].encode(lines), strict=True):
        assert row["ids"] == wanted.ids


@pytest.mark.slow
@pytest.mark.parametrize("kind", [{}, exported.PAIRS, {"precision": "int8"}], ids=["texts", "pairs", "int8"])
def test_answers_are_those_of_python(jar, kind):
    folder = exported.phone(**kind)
    texts = tiny.texts(20, seed=7)[0]
    lines = [f"{text}\t{text[::-1]}" for text in texts] if "pairs" in kind else [*texts, "", "x " * 60, "a\tb"]
    model = ondevice.load(folder)
    wanted = model.predict([model.task.input(line) for line in lines])
    found = rows(java(jar, "bertkit.Cli", folder, stdin="".join(line + "\n" for line in lines)))
    assert len(found) == len(wanted) and all(alike(one, other) for one, other in zip(found, wanted, strict=True))


def test_the_runner_of_android_gives_the_same_numbers(jar):
    folder = CORPUS / "answers/classify"
    if not folder.exists():
        pytest.skip("needs tflite/conformance")
    done = java(jar, "bertkit.AndroidRunner", folder, "a warm film")
    first, second = rows(done)
    assert first == second and set(first) == {"label", "probabilities"}


# ------------------------------------------------------------------------------------------------------- refusals


def folder_of(path, model=b"TFL3 no model"):
    path.mkdir()
    (path / "model.tflite").write_bytes(model)
    write_facts(path, tiny.tokenizer(), Classification(("no", "yes")), [16])
    return path


def changed(**values):
    """Return what changes values of ondevice.json, so that its checksum is right."""
    def change(folder):
        facts = json.loads((folder / "ondevice.json").read_text())
        facts.pop("sum")
        write_json(folder / "ondevice.json", facts | values, signed=True)
    return change


def written(name, content):
    """Return what writes a file, which the manifest then vouches for."""
    def write(folder):
        (folder / name).write_bytes(content)
        if name != "ondevice.json":
            changed(files=manifest.describe(folder, [path.name for path in folder.iterdir()
                                                     if path.name != "ondevice.json"]))(folder)
    return write


REFUSED = {
    "no facts": (lambda folder: (folder / "ondevice.json").unlink(), "is missing"),
    "no JSON": (written("ondevice.json", b'{"format": 1,'), "is not JSON (it ends too early"),
    "a list": (written("ondevice.json", b"[1]"), "wanted an object"),
    "deep": (written("ondevice.json", b"[" * 100_000), "nested too deep"),
    "bytes": (written("ondevice.json", b"\xff\xfe{}"), "is not UTF-8"),
    "changed": (lambda folder: (folder / "ondevice.json").write_text(
        (folder / "ondevice.json").read_text().replace('"yes"', '"maybe"')), "checksum differs"),
    "format": (changed(format=2), "format is 2, wanted 1"),
    "task": (changed(task={"name": "sing"}), "sing is not one that this client answers"),
    "no labels": (changed(task={"name": "classify", "labels": []}), "wanted one label or more"),
    "number": (changed(task={"name": "classify", "labels": ["a", 1]}), "labels holds 1, wanted strings"),
    "setting": (changed(task={"name": "classify", "labels": ["a", "b"], "mood": 1}), "mood is unknown"),
    "length": (changed(length="16"), 'length is "16", wanted a whole number'),
    "lengths": (changed(lengths=[16, 8]), "lengths is"),
    "kind": (changed(tokenizer={"kind": "japanese"}), "its words need MeCab"),
    "step": (changed(tokenizer={"kind": "wordpiece", "normalization": [["sing"]]}), "The normalisation step"),
    "no vocabulary": (lambda folder: (folder / "vocab.txt").unlink(), "vocab.txt is missing"),
    "other vocabulary": (lambda folder: (folder / "vocab.txt").write_text("a\n"), "its SHA-256 differs"),
    "empty vocabulary": (written("vocab.txt", b""), "is empty"),
    "small vocabulary": (written("vocab.txt", b"a\nb\n"), "The vocabulary has no [UNK]"),
    "no model": (written("model.tflite", b""), "is no model that LiteRT can run"),
    "garbage": (lambda folder: None, "is no model that LiteRT can run"),
}


def first(names, count):
    """Return names as parameters; those behind the first few are slow."""
    return [name if place < count else pytest.param(name, marks=pytest.mark.slow) for place, name in enumerate(names)]


@pytest.mark.parametrize("name", first(REFUSED, 8))
def test_a_broken_folder_is_refused_in_one_sentence(jar, tmp_path, name):
    breaks, wanted = REFUSED[name]
    folder = folder_of(tmp_path / "phone")
    breaks(folder)
    done = java(jar, "bertkit.Cli", folder, stdin="a film\n")
    last = done.stderr.decode().splitlines()[-1]
    assert done.returncode == 1 and not done.stdout and wanted in last, (done.returncode, last)
    assert last.endswith(".") and "Exception" not in done.stderr.decode()


def test_without_the_library_one_sentence_says_what_to_do(jar, tmp_path):
    folder = folder_of(tmp_path / "phone")
    for library, wanted in (("", "set LITERT_LIBRARY"), ("/nowhere.so", "is missing"), (__file__, "cannot be loaded")):
        done = java(jar, "bertkit.Cli", folder, library=library)
        assert done.returncode == 1 and wanted in done.stderr.decode()
    assert java(jar, "bertkit.Cli").returncode == 2


# ---------------------------------------------------------------------------------------------------- house rules


def test_the_sources_are_short():
    sources = [path for folder in ("android", "native") for kind in ("java", "c", "h")
               for path in (ROOT / "tflite" / folder).rglob(f"*.{kind}") if "build" not in path.parts]
    assert len(sources) > 50
    for path in sources:
        lines = path.read_text(encoding="utf-8").split("\n")
        assert max(map(len, lines)) <= 120, path
        code = re.sub(r"/\*.*?\*/", "", "\n".join(lines), flags=re.DOTALL)
        assert len(code.split("\n")) <= 250, path
