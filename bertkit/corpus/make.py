"""A corpus from text files: documents, segments, shards."""

import hashlib
import time
from pathlib import Path

from bertkit.corpus import shards
from bertkit.corpus.documents import Counts, documents
from bertkit.corpus.segments import segments
from bertkit.terminal import say
from bertkit.text import Tokenizer

EVERY = 10          # seconds between two words on how far it is


def make(paths, vocabulary, folder, length, selection, seed=0):
    """Write the shards of text files into a folder that is there; return the counts, as JSON.

    `selection` (see `documents`) leaves documents out. The same text, vocabulary and knobs give the same bytes; memory
    does not grow with the text.
    """
    tokenizer, counts = Tokenizer.load(vocabulary), Counts()

    def facts():
        return {"length": length, "seed": seed, "vocabulary": fingerprint(tokenizer),
                "text": [Path(path).name for path in paths],
                "documents": counts.documents, "characters": counts.characters,
                "left_out": {"short": counts.short, "long": counts.long, "copies": counts.copies}}

    told = _told(documents(paths, selection, counts), counts)
    found = shards.write(folder, segments(tokenizer, told, length, seed), facts)
    return {name: value for name, value in found.items() if name != "shards"} | {"shards": len(found["shards"])}


def fingerprint(tokenizer):
    """Return what tells one vocabulary from another: its number of entries and the SHA-256 of them."""
    return {"entries": len(tokenizer), "sha256": hashlib.sha256("\n".join(tokenizer.vocabulary).encode()).hexdigest()}


def _told(given, counts):
    """Yield what is given and say now and then how far it is."""
    shown = time.monotonic()
    for document in given:
        yield document
        if time.monotonic() - shown > EVERY:
            shown = time.monotonic()
            say(f"{counts.documents:,} documents, {counts.characters / 1e6:,.1f} million characters so far")
