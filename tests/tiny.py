"""The smallest things that behave like real ones: a vocabulary, a model, labelled rows."""

import numpy as np

from bertkit.config import EncoderConfig
from bertkit.data.features import featurize
from bertkit.encoder import Encoder
from bertkit.heads import Classifier
from bertkit.text import Tokenizer

WORDS = "good bad fine dull warm cold new old film story actor scene a the was it with and".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *"bcdefghijklmnopqrstuvwxyz",
              *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"), ".", ",", "!"]
CONFIG = EncoderConfig(len(VOCABULARY), num_layers=2, num_heads=2, hidden_dim=16, intermediate_dim=32,
                       max_sequence_length=32)


def tokenizer():
    return Tokenizer(VOCABULARY)


def classifier(seed=0, labels=("0", "1"), config=CONFIG, **options):
    import keras
    keras.utils.set_random_seed(seed)
    return Classifier(Encoder(config), labels, **options)


def texts(count=40, seed=0):
    """Return (texts, classes): a text is of class 1 if it says good, fine or warm."""
    rng = np.random.default_rng(seed)
    rows, classes = [], []
    for i in range(count):
        mood = rng.choice(["good", "fine", "warm"] if i % 2 else ["bad", "dull", "cold"])
        around = rng.choice(["film", "story", "scene", "the", "a", "was", "with"], rng.integers(1, 9))
        rows.append(" ".join([*around, mood, "film"]))
        classes.append(i % 2)
    return rows, np.array(classes, "int32")


def features(count=40, seed=0, length=16):
    rows, classes = texts(count, seed)
    return featurize(tokenizer(), rows, None, length, classes)


def write_rows(path, count=40, seed=0):
    """Write labelled texts as a TSV with the columns sentence and label; return its path."""
    rows, classes = texts(count, seed)
    lines = [f"{text}\t{label}\n" for text, label in zip(rows, classes, strict=True)]
    path.write_text("sentence\tlabel\n" + "".join(lines), encoding="utf-8")
    return path
