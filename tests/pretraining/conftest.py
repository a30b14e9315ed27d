"""A corpus of tiny texts, and no graphs left over."""

import gc
import json

import keras
import pytest

from bertkit.corpus import shards as files
from bertkit.corpus.make import fingerprint
from bertkit.corpus.segments import segments
from tests import tiny
from tests.pretraining.runs import LENGTH


@pytest.fixture(autouse=True)
def _one_session_each(steps):
    """Let go of a run's graphs: some 100 MB each. `steps` says how each run takes its steps."""
    yield
    if steps == "graph":
        keras.backend.clear_session()
        gc.collect()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """Return (shards, vocabulary file, config file)."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "vocab.txt").write_text("".join(f"{entry}\n" for entry in tiny.VOCABULARY))
    (folder / "tiny.json").write_text(json.dumps(tiny.CONFIG.to_json()))
    for name, seed in (("shards", 0), ("dev", 1)):
        (folder / name).mkdir()
        texts = tiny.texts(160, seed)[0]
        documents = [[f"{text}." for text in texts[i:i + 8]] for i in range(0, len(texts), 8)]
        metadata = {"length": LENGTH, "vocabulary": fingerprint(tiny.tokenizer()), "text": [name]}
        files.write_shards(folder / name, segments(tiny.tokenizer(), documents, LENGTH),
                           lambda metadata=metadata: metadata)
    return folder
