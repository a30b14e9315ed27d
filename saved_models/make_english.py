"""Make the small English encoder that ships with bertkit, from a large one and openly licensed text.

    python saved_models/make_english.py --teacher MiniLM/ --text novels.txt.gz books.txt.gz --out english

Three of the teacher's blocks, token vectors of 128 features instead of 384, and 16,000 entries of its vocabulary. The
student begins with the teacher's own weights (every second block; the token table by its singular value decomposition)
and learns to give each token the vector that the teacher gives it: the mean of ‖s − t‖² / D (as the last layer in Jiao
et al. 2019, TinyBERT, equation 8, without a matrix between, as widths agree).
"""

import argparse
from collections import Counter
from itertools import chain, islice, zip_longest
from pathlib import Path

import keras
import numpy as np
from keras import ops

from bertkit import memory
from bertkit.card import Card
from bertkit.checkpoints import bundle, load
from bertkit.corpus.documents import read_documents
from bertkit.data.features import Padding, pack
from bertkit.data.pipeline import BatchSampler
from bertkit.encoder import Encoder
from bertkit.text import Tokenizer
from bertkit.text.sentences import sentences
from bertkit.training.optimizer import adamw
from bertkit.training.progress import Progress

ENTRIES, FIRST, WIDTH, BLOCKS = 16_000, 12_000, 128, (1, 3, 5)
LENGTH, COUNTED = 64, 100_000         # tokens of a row; sentences whose entries are counted
NOTES = ("Licence: Apache-2.0.",
         "First weights and teacher: all-MiniLM-L6-v2 by sentence-transformers, Apache-2.0.",
         "Text: English novels published before 1929, public domain; five textbooks by OpenStax, Rice University, "
         "CC BY 4.0; State of the Union and inaugural addresses, public domain.")


def arguments():
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--teacher", required=True)
    parser.add_argument("--text", nargs="+", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rows", type=int, default=32_000, help="of text to learn from")
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    return parser.parse_args()


def lines(paths):
    """Yield the sentences of text files, a document of each in turn."""
    for document in chain.from_iterable(zip_longest(*(read_documents([path]) for path in paths), fillvalue=())):
        for text in document:
            yield from (text[start:end] for start, end in sentences(text))


def kept(tokenizer, paths):
    """Return the ids of the entries that stay, in order: special ones, single letters, `FIRST` ones, and what is used.

    The teacher's vocabulary is in the order of how often an entry occurs in modern text; the novels here are old.
    """
    entries = tokenizer.vocabulary
    found = {tokenizer.id(token) for token in tokenizer.special.values()}
    found |= {i for i, entry in enumerate(entries) if len(entry.removeprefix("##")) == 1}
    found |= set([i for i, entry in enumerate(entries) if not entry.startswith("[")][:FIRST])
    counts = Counter(i for text in islice(lines(paths), COUNTED) for i in tokenizer.ids([text])[0])
    for i, _ in counts.most_common():
        if len(found) == ENTRIES:
            break
        found.add(i)
    return np.array(sorted(found))


def rows(tokenizer, ids, paths, count):
    """Return `Features` of `count` rows of sentences whose tokens all stay, under the teacher's ids."""
    stays = np.zeros(len(tokenizer), bool)
    stays[ids] = True
    room, held, found = tokenizer.template.places(LENGTH, paired=False), [], []
    for text in lines(paths):
        own = tokenizer.ids([text])[0][:room]
        if not stays[own].all():
            continue
        if len(held) + len(own) > room:
            found.append(held)
            held = []
            if len(found) == count:
                break
        held = held + own
    return pack([tokenizer.pack_ids(row, None, LENGTH) for row in islice(found, count)], Padding.of(tokenizer))


def student(teacher, ids):
    """Return a narrower encoder of three blocks that begins with the teacher's weights."""
    made = Encoder(teacher.config.but(vocabulary_size=len(ids), num_layers=len(BLOCKS), embedding_dim=WIDTH))
    table = np.asarray(teacher.embeddings.token.embeddings)[ids]
    left, sizes, right = np.linalg.svd(table, full_matrices=False)
    made.embeddings.token.set_weights([left[:, :WIDTH] * sizes[:WIDTH]])
    made.embeddings.projection.set_weights([right[:WIDTH], np.zeros(teacher.config.hidden_dim)])
    for ours, theirs in ((made.embeddings.position, teacher.embeddings.position),
                         (made.embeddings.segment, teacher.embeddings.segment)):
        ours.set_weights([weight @ right[:WIDTH].T for weight in theirs.get_weights()])
    for block, number in zip(made.blocks, BLOCKS, strict=True):
        block.set_weights(teacher.blocks[number].get_weights())
    made.pooler.set_weights(teacher.pooler.get_weights())
    return made


class Pupil(keras.Model):
    """A student that learns the last hidden vectors of a teacher; `ids` are the teacher's of the student's entries."""

    def __init__(self, encoder, teacher, ids):
        super().__init__()
        self.encoder, self.teacher = encoder, teacher
        teacher.trainable = encoder.pooler.trainable = False
        self.places = np.zeros(teacher.config.vocabulary_size, "int32")
        self.places[ids] = np.arange(len(ids))
        self.built = True

    def call(self, features, training=None):
        own = {**features, "token_ids": ops.take(self.places, features["token_ids"], axis=0)}
        return self.encoder(own, training=training)["sequence"], self.teacher(features)["sequence"]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        student, teacher = y_pred
        real = ops.cast(x["padding_mask"], student.dtype)
        each = ops.mean(ops.square(student - ops.stop_gradient(teacher)), axis=-1)
        return ops.sum(each * real) / ops.sum(real)


def main():
    """Choose the entries, make the student, teach it, write the bundle."""
    flags = arguments()
    memory.keep_freed_memory()
    keras.utils.set_random_seed(0)
    tokenizer, teacher = Tokenizer.load(flags.teacher), load(flags.teacher, part="encoder")
    ids = kept(tokenizer, flags.text)
    features = rows(tokenizer, ids, flags.text, flags.rows)
    pupil = Pupil(student(teacher, ids), teacher, ids)
    pupil.compile(adamw(flags.learning_rate, flags.steps))
    history = pupil.fit(BatchSampler(features, flags.batch_size).dataset(), steps_per_epoch=flags.steps, verbose=0,
                        shuffle=False, callbacks=[Progress(flags.steps)]).history
    settings = tokenizer.settings()
    bundle.save(flags.out, pupil.encoder, Tokenizer([tokenizer.vocabulary[i] for i in ids], **settings), Card(
        name=Path(flags.out).name, task="encode", recipe="saved_models/make_english.py",
        model={"encoder": pupil.encoder.config.to_json()}, knobs={"steps": flags.steps, "rows": len(features)},
        data={"text": [Path(path).name for path in flags.text]},
        training={"loss": history["loss"][-1]}, notes=NOTES), storage="float16")


if __name__ == "__main__":
    main()
