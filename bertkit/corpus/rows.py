"""Make the texts of a row from segments: one alone, with the next text or a random one, in order or swapped.

An arrangement takes (shards, the number of a record, draws [DRAWS] in [0, 1)) and returns (first, second or None,
label): ids without special tokens, which fit a row of `shards.length` together with them.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from bertkit.corpus.randomness import randint
from bertkit.data.features import Features, Padding, pack
from bertkit.errors import Error
from bertkit.terminal import say
from bertkit.text import Tokenizer

TRIES = 10          # draws until a document is another (google-research/bert, create_pretraining_data.py)
DRAWS = 4 + TRIES   # random numbers for each row
FEW = 0.1           # share of the segments; where fewer can be split, the label of a pair is nearly always 1


def pack_documents(tokenizer: Tokenizer, documents: Iterable[list[str]], length: int) -> Features:
    """Fill rows with consecutive text, each row from one document.

    Args:
        tokenizer: The `Tokenizer` of the texts.
        documents: Lists of paragraphs.
        length: The most tokens of a row, with the special tokens.

    Returns:
        The `Features` of the rows.

    Example:
        >>> tokenizer = Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm", "cold"])
        >>> rows = pack_documents(tokenizer, [["warm cold", "cold"], ["warm"]], length=4)
        >>> rows.batch([0, 1, 2])["token_ids"].tolist()
        [[2, 5, 6, 3], [2, 6, 3, 0], [2, 5, 3, 0]]
    """
    room = tokenizer.template.max_text_tokens(length, paired=False)
    rows = []
    for document in documents:
        ids = [i for paragraph in tokenizer.ids(document) for i in paragraph]
        rows += [tokenizer.pack_ids(ids[i:i + room], None, length) for i in range(0, len(ids), room)]
    return pack(rows, Padding.of(tokenizer))


def one_segment(shards: Any, number: int, draws: np.ndarray) -> tuple[np.ndarray, None, int]:
    """Arrange a segment as the one text of a row.

    Args:
        shards: The `Shards` of the corpus.
        number: The number of the record.
        draws: float64 [DRAWS] in [0, 1), not used.

    Returns:
        (ids int32 [tokens], None, 0).
    """
    return shards[number].token_ids, None, 0


def next_sentence(shards: Any, number: int, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Arrange two texts, the second the next one or a random one (Devlin et al. 2018, section 3.1).

    The segment is split after one of its sentences. With probability ½, and always where it has one sentence only, its
    second part is replaced by a random other document's text, of the same size where that document is long enough.

    Args:
        shards: The `Shards` of the corpus.
        number: The number of the record.
        draws: float64 [DRAWS] in [0, 1).

    Returns:
        (ids int32 [tokens] of the first text, those of the second, 1 where it is a random one and else 0).
    """
    first, second = _split(shards[number], draws)
    if second is None or draws[1] < 0.5:
        return *_beside_random(shards, number, first, second, draws), 1
    return first, second, 0


def sentence_order(shards: Any, number: int, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Arrange two consecutive texts, swapped with probability ½ (Lan et al. 2019, section 3.1).

    A segment of one sentence gets a random second text and the label 1, as in the release of ALBERT.

    Args:
        shards: The `Shards` of the corpus.
        number: The number of the record.
        draws: float64 [DRAWS] in [0, 1).

    Returns:
        (ids int32 [tokens] of the first text, those of the second, 1 where they are swapped and else 0).
    """
    first, second = _split(shards[number], draws)
    if second is None:
        return *_beside_random(shards, number, first, second, draws), 1
    return (second, first, 1) if draws[1] < 0.5 else (first, second, 0)


def check_pairs(shards: Any, arrange: Callable[..., Any]) -> None:
    """Check that an arrangement finds pairs in a corpus; say so where it finds few consecutive ones.

    Args:
        shards: The `Shards` of the corpus.
        arrange: The arrangement, such as `next_sentence`.

    Raises:
        Error: when the corpus is one document, and random texts of others are needed.
    """
    metadata = shards.metadata
    if arrange is one_segment:
        return
    if arrange is next_sentence and metadata.get("documents") == 1:
        raise Error(f"{shards.folder} holds one document, and nsp takes random texts of others; make the corpus of "
                    "text with a blank line after each document.")
    parted = metadata["sentences"] - metadata["segments"]     # at most: a segment of three sentences counts for two
    if parted < FEW * metadata["segments"]:
        say(f"{shards.folder}: at most {parted:,} of {metadata['segments']:,} segments have a second sentence. The "
            "others get a random one, so the label is nearly always 1. Give text with several sentences a document, or "
            "train on mlm alone.")


def _split(segment, draws):
    """Return a segment's text before and behind the end of a drawn sentence; None for the latter if it has only one."""
    ends = segment.ends
    if len(ends) == 1:
        return segment.token_ids, None
    end = ends[randint(draws[0], len(ends) - 1)]
    return segment.token_ids[:end], segment.token_ids[end:]


def _beside_random(shards, number, first, second, draws):
    """Return a text and one of another document, from the start of a sentence, as long as the text that it replaces.

    Its length must not show that it is random: of `TRIES` documents the first one that is long enough is taken, else
    the longest. A segment of one sentence gives half of its place to the other text.
    """
    place = len(first) // 2 if second is None else len(second)
    if second is None:
        first = first[:len(first) - place] if draws[2] < 0.5 else first[place:]
    size, best = max(1, place), None
    document = shards[number].document
    for other in map(int, randint(draws[4:], len(shards))):
        if shards[other].document == document:
            continue
        text = _from(shards, other, draws[3], size)
        best = text if best is None or len(text) > len(best) else best
        if len(best) == size:
            break
    return first, _from(shards, other, draws[3], size) if best is None else best


def _from(shards, number, draw, size):
    """Return `size` tokens from the start of a drawn sentence of a record on, and on through its document's records.

    Where too little text follows in the document, the text begins earlier in the record, at a sentence that leaves
    enough.
    """
    segment = shards[number]
    ids, starts = segment.token_ids, np.concatenate([[0], segment.ends[:-1]])
    start = starts[randint(draw, len(starts))]
    while len(ids) - start < size and number + 1 < len(shards):
        number += 1
        if (following := shards[number]).document != segment.document:
            break
        ids = np.concatenate([ids, following.token_ids])
    if len(ids) - start < size:
        start = starts[max(0, int(np.searchsorted(starts, len(ids) - size, side="right")) - 1)]
    return ids[start:start + size]
