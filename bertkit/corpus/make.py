"""A corpus from text files: documents, segments, shards; by this process, or by many machines."""

import hashlib
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bertkit.corpus import shards
from bertkit.corpus.documents import Counts, documents
from bertkit.corpus.segments import segments
from bertkit.errors import Error
from bertkit.terminal import say
from bertkit.text import Tokenizer

EVERY = 10              # seconds between two words on how far it is
PART_BYTES = 2**28      # of files that one worker reads: what can be done at the same time
MOST_DOCUMENTS = 2**32  # of a part: its documents are numbered from there on


def make(paths, vocabulary, folder, length, selection, seed=0, run=None):
    """Write the shards of text files into a folder that is there; return the counts, as JSON.

    `selection` (see `documents`) leaves documents out. The files are worked on in parts of about 256 MB; `run` maps a
    function over them, elsewhere (see `corpus.beam`), and the same text, vocabulary and knobs give the same bytes
    wherever that is. One document is held at a time. Raises `Error` where copies are to be left out elsewhere:
    only one process knows what was there before.
    """
    tokenizer, parts = Tokenizer.load(vocabulary), list(enumerate(_parts(paths)))
    if run and not selection.copies:
        raise Error("Copies are found by one process that sees all documents; leave out --drop-copies, or --beam.")
    work = partial(write_part, vocabulary=str(vocabulary), folder=str(folder), length=length, selection=selection,
                   seed=seed)
    found = run(work, parts) if run else list(map(partial(work, known=set()), parts))
    counts = {name: sum(part["counts"][name] for part in found) for name in asdict(Counts())}
    if counts["documents"] == 1:
        say("The text is one document, which is held in memory whole; documents end with a blank line.")
    left_out = {name: counts.pop(name) for name in ("short", "long", "copies")}
    metadata = shards.finish(folder, found, {
        "length": length, "seed": seed, "vocabulary": fingerprint(tokenizer),
        "text": [Path(path).name for path in paths], **counts, "left_out": left_out})
    return {**metadata, "shards": len(metadata["shards"])}


def write_part(part, vocabulary, folder, length, selection, seed, known=None):
    """Write the shards of (number, files); return what `make` wants to know of them, JSON."""
    number, paths = part
    counts, tokenizer = Counts(), Tokenizer.load(vocabulary)
    told = _told(documents(paths, selection, counts, known), counts)
    cut = segments(tokenizer, told, length, seed, first=number * MOST_DOCUMENTS)
    return {**shards.write_part(folder, cut, f"shard-{number:05d}"), "counts": asdict(counts)}


def fingerprint(tokenizer):
    """Return what tells one vocabulary from another: its number of entries and the SHA-256 of them."""
    return {"entries": len(tokenizer), "sha256": hashlib.sha256("\n".join(tokenizer.vocabulary).encode()).hexdigest()}


def _parts(paths):
    """Yield the files in groups that follow each other, of `PART_BYTES` or one file."""
    held, size = [], 0
    for path in map(Path, paths):
        own = path.stat().st_size if path.is_file() else 0
        if held and size + own > PART_BYTES:
            yield held
            held, size = [], 0
        held.append(str(path))
        size += own
    yield held


def _told(given, counts):
    """Yield what is given and say now and then how far it is."""
    shown = time.monotonic()
    for document in given:
        yield document
        if time.monotonic() - shown > EVERY:
            shown = time.monotonic()
            say(f"{counts.documents:,} documents, {counts.characters / 1e6:,.1f} million characters so far")
