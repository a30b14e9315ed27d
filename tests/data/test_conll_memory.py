"""A file of tagged words takes less than 8 MB of memory for each of its MB, from its lines to the rows of ids."""

import subprocess
import sys

import numpy as np
import pytest

from bertkit.text import Tokenizer

# In a process of its own, because what other tests have left in memory changes what is measured.
MEASURE = """
import sys, tracemalloc
import numpy as np
from bertkit.data.conll import read_conll
from bertkit.data.features import features_of
from bertkit.data.sentences import tag_names
from bertkit.tasks.tagging import Tagging
from bertkit.text import Tokenizer
tokenizer = Tokenizer.load("bertkit://english")
tokenizer.encode([word for word in tokenizer.vocabulary if word.isalpha()])    # what it remembers is not the file's
tracemalloc.start()
sentences = read_conll(sys.argv[1])
task = Tagging(tag_names(sentences))
features = features_of(task.pack(tokenizer, sentences.words, 128, sentences.tags), tokenizer)
print(tracemalloc.get_traced_memory()[1], np.count_nonzero(features.token_labels != -1))
"""


@pytest.mark.slow
def test_tagged_words_take_little_memory(tmp_path):
    rng, tokenizer = np.random.default_rng(0), Tokenizer.load("bertkit://english")
    words = [word for word in tokenizer.vocabulary if word.isalpha()]
    places = np.minimum(rng.zipf(1.2, 80_000) - 1, len(words) - 1)
    tags = rng.choice(["O", "B-PER", "B-LOC"], len(places), p=[0.8, 0.1, 0.1])
    ends = rng.random(len(places)) < 1 / 15
    path = tmp_path / "train.conll"
    path.write_text("".join(f"{words[place]} NNP I-NP {tag}\n" + "\n" * int(end)
                            for place, tag, end in zip(places, tags, ends, strict=True)))
    result = subprocess.run([sys.executable, "-P", "-c", MEASURE, path], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    peak, labelled = map(int, result.stdout.split())
    assert labelled >= len(places) and peak < 8 * path.stat().st_size, peak / path.stat().st_size
