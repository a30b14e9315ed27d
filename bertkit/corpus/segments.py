"""Documents as segments: consecutive sentences of one document that fill a row together."""

from dataclasses import dataclass

import numpy as np

from bertkit.errors import Error
from bertkit.text.sentences import sentences

SHORT = 0.1         # share of documents cut to shorter segments (Devlin et al. 2018's code: short_seq_prob)


@dataclass(frozen=True)
class Segment:
    """`token_ids` int32 of consecutive sentences, `ends` where each ends in them, and the number of their document."""

    token_ids: np.ndarray
    ends: np.ndarray
    document: int

    @property
    def parts(self):
        """The token ids of each sentence."""
        return np.split(self.token_ids, self.ends[:-1])


def segments(tokenizer, documents, length, seed=0, short=SHORT):
    """Yield the `Segment`s of documents (lists of paragraphs), each filling a pair of `length` tokens at most.

    Sentences are taken until the next would not fit; one longer than a row is cut into several. With the chance `short`
    a document's segments have a shorter target, drawn from 2 up (google-research/bert, create_pretraining_data.py); the
    draw is a function of (seed, the document's number). No token is lost.
    """
    room = tokenizer.template.places(length, paired=True)
    if room < 2:
        raise Error(f"length={length} leaves room for {room} tokens of text; give a larger one, such as 128.")
    for number, document in enumerate(documents):
        draw = np.random.default_rng((seed, number))
        target = int(draw.integers(2, room + 1)) if draw.random() < short else room
        yield from _filled(_pieces(tokenizer, document, target), target, number)


def _pieces(tokenizer, document, most):
    """Return the ids of each sentence of a document, none longer than `most`."""
    texts = [text[start:end] for text in document for start, end in sentences(text)]
    return [ids[i:i + most] for ids in tokenizer.ids(texts) for i in range(0, len(ids), most)]


def _filled(pieces, target, number):
    held, size = [], 0
    for piece in pieces:
        if size + len(piece) > target:
            yield _segment(held, number)
            held, size = [], 0
        held.append(piece)
        size += len(piece)
    if held:
        yield _segment(held, number)


def _segment(pieces, number):
    ids = np.fromiter((i for piece in pieces for i in piece), "int32")
    return Segment(ids, np.cumsum([len(piece) for piece in pieces]).astype("int32"), number)
