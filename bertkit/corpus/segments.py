"""Cut documents into segments: consecutive text of one document that fills a row."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bertkit.errors import Error
from bertkit.text import Tokenizer
from bertkit.text.sentences import sentences

SHORT = 0.1         # share of documents cut to shorter segments (Devlin et al. 2018's code: short_seq_prob)


@dataclass(frozen=True)
class Segment:
    """Consecutive text of one document.

    Args:
        token_ids: int32 [T], without special tokens.
        ends: int32 [sentences], where each sentence ends in `token_ids`.
        document: The number of the document.
    """

    token_ids: np.ndarray
    ends: np.ndarray
    document: int

    @property
    def parts(self) -> list[np.ndarray]:
        """The token ids of each sentence, or of the part of it that the segment has."""
        return np.split(self.token_ids, self.ends[:-1])


def segments(tokenizer: Tokenizer, documents: Iterable[list[str]], length: int, seed: int = 0, short: float = SHORT,
             first: int = 0) -> Iterator[Segment]:
    """Cut documents into segments that each fill a pair of texts of at most `length` tokens.

    A sentence that does not fit goes on in the next segment, so that rows are full. With the probability `short` the
    segments of a document are shorter, of a length drawn from 2 up (google-research/bert, create_pretraining_data.py).
    The draw is a function of (seed, the document's number). The ids are those of the paragraphs themselves: no token is
    lost.

    Args:
        tokenizer: The `Tokenizer` of the texts.
        documents: Lists of paragraphs.
        length: Tokens of a row, with the special tokens of a pair.
        seed: The seed of the draws, 0 or more.
        short: The share of the documents that are cut into shorter segments.
        first: The number of the first document.

    Yields:
        The `Segment`s of each document in order.

    Raises:
        Error: when two tokens of text do not fit in `length`, and when `seed` is below 0.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> found = segments(tokenizer, [["warm cold", "cold cold"]], length=6, short=0)
        >>> [(segment.token_ids.tolist(), segment.ends.tolist()) for segment in found]
        [([5, 6, 6], [2, 3]), ([6], [1])]
    """
    special = 99 - tokenizer.template.max_text_tokens(99, paired=True)
    if (room := length - special) < 2:
        raise Error(f"length={length} leaves no room for two tokens of text beside {special} special ones; give "
                    f"{special + 2} or more, such as 128.")
    if seed < 0:
        raise Error(f"seed={seed} came; give 0 or more.")
    for number, document in enumerate(documents, start=first):
        draw = np.random.default_rng((seed, number))
        target = int(draw.integers(2, room + 1)) if draw.random() < short else room
        ids = (ids for text in document for ids in tokenizer.ids(_split_sentences(text)))
        yield from _filled(ids, target, number)


def _split_sentences(text):
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
