"""Documents as segments: consecutive text of one document that fills a row."""

from dataclasses import dataclass

import numpy as np

from bertkit.errors import Error
from bertkit.text.sentences import sentences

SHORT = 0.1         # share of documents cut to shorter segments (Devlin et al. 2018's code: short_seq_prob)


@dataclass(frozen=True)
class Segment:
    """`token_ids` int32 of consecutive text, `ends` where each sentence ends in it, and the number of its document."""

    token_ids: np.ndarray
    ends: np.ndarray
    document: int

    @property
    def parts(self):
        """The token ids of each sentence, or of what the segment has of it."""
        return np.split(self.token_ids, self.ends[:-1])


def segments(tokenizer, documents, length, seed=0, short=SHORT, first=0):
    """Yield the `Segment`s of documents (lists of paragraphs), each filling a pair of `length` tokens at most.

    A sentence that does not fit goes on in the next segment, so that rows are full. With the chance `short` a
    document's segments have a shorter target, drawn from 2 up (google-research/bert, create_pretraining_data.py); the
    draw is a function of (seed, the document's number, counted from `first`). The ids are those of the paragraphs
    themselves: no token is lost. Raises `Error` where two tokens of text do not fit, and for a seed below 0.
    """
    special = 99 - tokenizer.template.places(99, paired=True)
    if (room := length - special) < 2:
        raise Error(f"length={length} leaves no room for two tokens of text beside {special} special ones; give "
                    f"{special + 2} or more, such as 128.")
    if seed < 0:
        raise Error(f"seed={seed}; give 0 or more.")
    for number, document in enumerate(documents, start=first):
        draw = np.random.default_rng((seed, number))
        target = int(draw.integers(2, room + 1)) if draw.random() < short else room
        ids = (ids for text in document for ids in tokenizer.ids(_parted(text)))
        yield from _filled(ids, target, number)


def _parted(text):
    """Return a paragraph's sentences, each with the blank before it, which byte-level entries tell apart."""
    ends = [end for _, end in sentences(text)]
    return [text[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _filled(sentences, target, number):
    held, size = [], 0
    for ids in sentences:
        start = 0
        while start < len(ids):
            part = ids[start:start + target - size]
            held.append(part)
            start, size = start + len(part), size + len(part)
            if size == target:
                yield _segment(held, number)
                held, size = [], 0
    if held:
        yield _segment(held, number)


def _segment(parts, number):
    ids = np.fromiter((i for part in parts for i in part), "int32")
    return Segment(ids, np.cumsum([len(part) for part in parts]).astype("int32"), number)
