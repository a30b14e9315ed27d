"""From segments to the texts of a row: alone, with the next text or a random one, in order or swapped.

An arrangement takes (shards, the number of a record, draws [DRAWS] in [0, 1)) and returns (first, second or None,
label): ids without special tokens, which fit a row of `shards.length` together with them.
"""

import numpy as np

from bertkit.corpus.randomness import randint
from bertkit.data.features import Padding, pack
from bertkit.errors import Error
from bertkit.terminal import say

TRIES = 10          # random documents, until one is another (google-research/bert, create_pretraining_data.py)
DRAWS = 4 + TRIES   # of each row
FEW = 0.1           # of the segments; where fewer can be parted, the label of a pair is nearly always 1


def pack_documents(tokenizer, documents, length):
    """Return `Features` of rows of up to `length` tokens, filled with consecutive text of one document."""
    room = tokenizer.template.places(length, paired=False)
    rows = []
    for document in documents:
        ids = [i for paragraph in tokenizer.ids(document) for i in paragraph]
        rows += [tokenizer.pack_ids(ids[i:i + room], None, length) for i in range(0, len(ids), room)]
    return pack(rows, Padding.of(tokenizer))


def alone(shards, number, draws):
    """Return a segment as the one text of a row."""
    return shards[number].token_ids, None, 0


def next_sentence(shards, number, draws):
    """Return two texts and 1 where the second is a random one instead of the next (Devlin et al. 2018, section 3.1).

    The segment is parted after one of its sentences; with probability ½, and where it has one sentence only, what
    follows is a random other document's text, of the same size wherever that document has as much.
    """
    first, second = _parted(shards[number], draws)
    if second is None or draws[1] < 0.5:
        return *_beside_random(shards, number, first, second, draws), 1
    return first, second, 0


def sentence_order(shards, number, draws):
    """Return two consecutive texts and 1 where they are swapped, probability ½ (Lan et al. 2019, section 3.1).

    A segment of one sentence gets a random second text, label 1, as in the release of ALBERT.
    """
    first, second = _parted(shards[number], draws)
    if second is None:
        return *_beside_random(shards, number, first, second, draws), 1
    return (second, first, 1) if draws[1] < 0.5 else (first, second, 0)


def check_pairs(shards, arrange):
    """Raise `Error` where an arrangement finds no pairs in `shards`; say so where it finds few that are consecutive."""
    metadata = shards.metadata
    if arrange is alone:
        return
    if arrange is next_sentence and metadata.get("documents") == 1:
        raise Error(f"{shards.folder} holds one document, and nsp takes random texts of others; make the corpus of "
                    "text with a blank line after each document.")
    parted = metadata["sentences"] - metadata["segments"]     # at most: a segment of three sentences counts for two
    if parted < FEW * metadata["segments"]:
        say(f"{shards.folder}: at most {parted:,} of {metadata['segments']:,} segments have a second sentence, the "
            "others get a random one, so that the label says little; give text with several sentences a document, or "
            "train on mlm alone.")


def _parted(segment, draws):
    """Return a segment's text before and behind the end of a drawn sentence; None where it has one only."""
    ends = segment.ends
    if len(ends) == 1:
        return segment.token_ids, None
    end = ends[randint(draws[0], len(ends) - 1)]
    return segment.token_ids[:end], segment.token_ids[end:]


def _beside_random(shards, number, first, second, draws):
    """Return a text and one of another document, from the start of a sentence, as long as what it stands for.

    Its length must not tell that it is random: of `TRIES` documents the first is taken that is long enough, else the
    longest. A segment of one sentence gives half of its place to the other text.
    """
    if second is None:
        place = len(first) // 2
        first = first[:len(first) - place] if draws[2] < 0.5 else first[place:]
    size, found = max(1, place if second is None else len(second)), None
    document = shards[number].document
    for other in map(int, randint(draws[4:], len(shards))):
        if shards[other].document == document:
            continue
        text = _from(shards, other, draws[3], size)
        found = text if found is None or len(text) > len(found) else found
        if len(found) == size:
            break
    return first, _from(shards, other, draws[3], size) if found is None else found


def _from(shards, number, draw, size):
    """Return `size` tokens from the start of a sentence on, drawn in a record, through the records of its document.

    Where too little follows in the document, it begins as many sentences earlier in the record as it must.
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
