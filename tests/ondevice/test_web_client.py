"""The JavaScript client says what bertkit says; where node is not on the machine it is left out."""

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from bertkit.export.litert_js import cache
from bertkit.ondevice.runner import write_facts
from bertkit.tasks.embedding import Embedding
from bertkit.text import Tokenizer
from bertkit.text.convention import Convention, at_apostrophes, is_unbroken
from bertkit.text.sentences import sentences
from bertkit.text.words import words

ROOT = Path(__file__).resolve().parents[2]
WEB, CORPUS = ROOT / "tflite/web", ROOT / "tflite/conformance"
LITERT = Path(os.environ.get("BERTKIT_LITERT") or cache() / "node_modules")
CHECKPOINTS = ROOT.parent / "shared/checkpoints"
NODE = shutil.which("node")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(NODE is None, reason="node is not on this machine")]
ENCODE = """
import { readFileSync, writeSync } from "node:fs";
const [source, folder] = process.argv.slice(1), { load } = await import(`${source}/node.js`);
const model = await load(folder);
const bytes = Buffer.from(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map(text => model.encode(text))));
for (let at = 0; at < bytes.length;) at += writeSync(1, bytes, at);
"""


def texts(count):
    """Return texts of the corpus, joined at random so that they have several words and sentences."""
    chance = random.Random(4)
    lines = (CORPUS / "wordpiece.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line)["text"] for line in lines if line]
    joins = [" ", "", ". ", "! ", "? \"", "'", "’s ", ".\n\n", " Mr. ", "-", "。", " e.g. ", "...", ".) a", " (", "« "]
    found = ["".join(chance.choice(rows) + chance.choice(joins) for _ in range(chance.randint(1, 4)))
             for _ in range(count)]
    assert len(set(found)) > 0.9 * count
    return found


def asked(*command, given):
    done = subprocess.run([NODE, *map(str, command)], input=json.dumps(given), capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    return json.loads(done.stdout)


def spans(found):
    return [list(span) for span in found]


def test_it_passes_its_own_tests():
    found = {"BERTKIT_LITERT": str(LITERT)} if LITERT.is_dir() else {}         # without it answers are left out
    done = subprocess.run([NODE, "--test", "test/"], cwd=WEB, capture_output=True, text=True, timeout=600, check=False,
                          env={**os.environ, "NODE_OPTIONS": "", **found})
    assert done.returncode == 0 and "# fail 0" in done.stdout, done.stdout[-2000:]


def test_words_and_sentences_are_those_of_python():
    given = texts(4000)
    made = Convention.learned([["l'", "acqua", "dell'", "Italia", "東京", "大学", "well-known", "Anna", "'s", "กรุง",
                                "/", "a/"]])
    found = asked(ROOT / "tests/ondevice/ask.mjs", (WEB / "src").as_uri(),
                  given={"texts": given, "convention": made.to_json()})
    for text, one in zip(given, found, strict=True):
        assert one["words"] == spans(words(text)), text
        assert one["sentences"] == spans(sentences(text)), text
        assert one["convention"] == spans(made.words(text)), text
        assert one["unbroken"] == is_unbroken(text), text
        assert one["parts"] == [spans(at_apostrophes(text, *word)) for word in words(text)], text


@pytest.mark.skipif(not CHECKPOINTS.is_dir(), reason="no checkpoints beside the repository")
@pytest.mark.parametrize("name", ["mbert_cased/base", "roberta/base", "xlmr/base", *(
    pytest.param(f"{name}/base", marks=pytest.mark.slow) for name in (
        "albert", "bert", "bigbird", "camembert", "electra", "modernbert", "reformer", "xlnet"))])
def test_published_tokenizers_give_the_same(name, tmp_path):
    if not (CHECKPOINTS / name).is_dir():
        pytest.skip(f"no {name}")
    tokenizer, given = Tokenizer.load(CHECKPOINTS / name), texts(600)
    write_facts(tmp_path, tokenizer, Embedding(), [64])
    found = asked("--input-type=module", "--eval", ENCODE, (WEB / "src").as_uri(), tmp_path, given=given)
    for text, one, wanted in zip(given, found, tokenizer.encode(given), strict=True):
        assert (one["ids"], one["offsets"]) == (wanted.ids, spans(wanted.offsets)), text
