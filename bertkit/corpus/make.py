"""Make a corpus from text files: documents, segments, shards. One process does it, or many machines."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from bertkit.corpus import shards
from bertkit.corpus.documents import Counts, Selection, read_documents
from bertkit.corpus.segments import segments
from bertkit.errors import Error
from bertkit.files.schema import Whole, check_argument
from bertkit.terminal import say
from bertkit.text import Tokenizer

EVERY = 10              # seconds between two messages about the progress
PART_BYTES = 2**28      # bytes of the files that one worker reads; parts are worked on at the same time
LONGEST = 2**20         # tokens of a row; no encoder reads so many
MOST_DOCUMENTS = 2**32  # in a part; the documents of part i are numbered from i · MOST_DOCUMENTS on


def make_corpus(paths: Iterable[str | Path], vocabulary: str | Path, folder: str | Path, length: int,
                selection: Selection, seed: int = 0,
                run: Callable[..., list[dict[str, Any]]] | None = None) -> dict[str, Any]:
    """Write the shards of text files into a folder that exists.

    The files are worked on in parts of about 256 MB. The same text, vocabulary and settings give the same bytes
    wherever the parts are worked on. One document is held in memory at a time.

    Args:
        paths: Text files, see `read_documents`.
        vocabulary: The path of a vocabulary, see `Tokenizer.load`.
        folder: Where the shards are written.
        length: Tokens of a row, with the special tokens.
        selection: Which documents are kept.
        seed: The seed of the draws.
        run: run(work, parts) maps `work` over the parts elsewhere, see `corpus.beam`; None does it here.

    Returns:
        The manifest, with the number of shards in place of their list.

    Raises:
        Error: when copies are to be left out by several workers: only one process that sees all documents can find
            them.
    """
    check_argument("length", length, Whole(1, LONGEST))
    tokenizer, parts = Tokenizer.load(vocabulary), list(enumerate(_parts(paths)))
    if run and not selection.copies:
        raise Error("Copies are found by one process that sees all documents; leave out --drop-copies, or --beam.")
    work = partial(write_part, vocabulary=str(vocabulary), folder=str(folder), length=length, selection=selection,
                   seed=seed)
    results = run(work, parts) if run else list(map(partial(work, known=set()), parts))
    counts = {name: sum(part["counts"][name] for part in results) for name in asdict(Counts())}
    if counts["documents"] == 1:
        say("The text is one document, which needs memory for all of it; put a blank line after each document.")
    left_out = {name: counts.pop(name) for name in ("short", "long", "copies")}
    metadata = shards.write_manifest(folder, results, {
        "length": length, "seed": seed, "vocabulary": fingerprint(tokenizer),
        "text": [Path(path).name for path in paths], **counts, "left_out": left_out})
    return {**metadata, "shards": len(metadata["shards"])}


def write_part(part: Sequence[Any], vocabulary: str, folder: str, length: int, selection: Selection, seed: int,
               known: set[bytes] | None = None) -> dict[str, Any]:
    """Write the shards of one part of the files.

    Args:
        part: (The number of the part, its files).
        vocabulary: The path of a vocabulary.
        folder: Where the shards are written.
        length: Tokens of a row, with the special tokens.
        selection: Which documents are kept.
        seed: The seed of the draws.
        known: The digests of the documents of earlier parts, see `read_documents`.

    Returns:
        What `make_corpus` needs to write the manifest, as JSON.
    """
    number, paths = part
    counts, tokenizer = Counts(), Tokenizer.load(vocabulary)
    texts = _with_progress(read_documents(paths, selection, counts, known), counts)
    pieces = segments(tokenizer, texts, length, seed, first=number * MOST_DOCUMENTS)
    return {**shards.write_part(folder, pieces, f"shard-{number:05d}"), "counts": asdict(counts)}


def fingerprint(tokenizer: Tokenizer) -> dict[str, Any]:
    """Identify a vocabulary.

    Args:
        tokenizer: The `Tokenizer` of the vocabulary.

    Returns:
        {"entries": their number, "sha256": the SHA-256 of the entries}.

    Example:
        >>> fingerprint(Tokenizer(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "warm"]))["entries"]
        6
    """
    return {"entries": len(tokenizer), "sha256": hashlib.sha256("\n".join(tokenizer.vocabulary).encode()).hexdigest()}


def _parts(paths):
    """Yield consecutive groups of files, each of at most `PART_BYTES` or of one file."""
    held, size = [], 0
    for path in map(Path, paths):
        own = path.stat().st_size if path.is_file() else 0
        if held and size + own > PART_BYTES:
            yield held
            held, size = [], 0
        held.append(str(path))
        size += own
    yield held


def _with_progress(texts, counts):
    """Yield the documents, and every `EVERY` seconds say how many there were."""
    latest = time.monotonic()
    for document in texts:
        yield document
        if time.monotonic() - latest > EVERY:
            latest = time.monotonic()
            say(f"{counts.documents:,} documents, {counts.characters / 1e6:,.1f} million characters so far")
