"""Read documents from plain text and JSONL, compressed or not. Memory holds one document at a time."""

import gzip
import hashlib
import io
import json
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bertkit.data.lines import BadRow, Lines, check_text, open_bytes
from bertkit.errors import Error
from bertkit.requirements import missing

WANTED = "text (a paragraph a line, a blank line after each document) or .jsonl (key text), also as .gz or .zst"
_HALF = re.compile("[\ud800-\udfff]")
KEY = 16            # bytes of a digest: among 2^32 documents two have the same one with a chance of 10^-19


@dataclass(frozen=True)
class Selection:
    """Which documents are kept; the others are left out.

    A copy has the same words as a document before it, whatever blanks and case stand between them. Of each document 16
    bytes are remembered.

    Args:
        least: Documents of fewer characters are left out.
        most: Documents of more characters are left out; None keeps all.
        copies: Whether copies are kept.
    """

    least: int = 0
    most: int | None = None
    copies: bool = True


@dataclass
class Counts:
    """How much has been read so far.

    Args:
        documents: Documents that were kept.
        characters: Characters of these.
        short: Documents that were left out because they are too short.
        long: Documents that were left out because they are too long.
        copies: Documents that were left out because they are copies.
    """

    documents: int = 0
    characters: int = 0
    short: int = 0
    long: int = 0
    copies: int = 0


def read_documents(paths: Iterable[str | Path], selection: Selection = Selection(), counts: Counts | None = None,
                   known: set[bytes] | None = None) -> Iterator[list[str]]:
    r"""Yield the documents of text files, each as a list of its paragraphs.

    Plain text has a paragraph a line and a blank line after each document. A .jsonl file has an object a line, whose
    "text" is split at its line ends. Lines end at \n only. Either may be compressed, as .gz or .zst.

    Args:
        paths: The files.
        selection: Which documents are kept.
        counts: A `Counts` that is kept up to date.
        known: The digests of the documents that were read before; new ones are added.

    Yields:
        The paragraphs of a document, without blanks around them.

    Raises:
        Error: with file and line, when a line is not UTF-8 or not such an object, and when a compressed file is cut
            off.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "a.txt"
        >>> _ = path.write_text("One.\nTwo.\n\n\nThree.\n")
        >>> list(read_documents([path]))
        [['One.', 'Two.'], ['Three.']]
    """
    counts, known = counts or Counts(), set() if known is None else known
    for path in map(Path, paths):
        for document in _of_file(path):
            size = sum(map(len, document))
            if size < selection.least:
                counts.short += 1
            elif selection.most is not None and size > selection.most:
                counts.long += 1
            elif not selection.copies and _seen(document, known):
                counts.copies += 1
            else:
                counts.documents, counts.characters = counts.documents + 1, counts.characters + size
                yield document


def _seen(document, known):
    key = hashlib.sha256(" ".join(" ".join(document).lower().split()).encode()).digest()[:KEY]
    if key in known:
        return True
    known.add(key)
    return False


def _of_file(path):
    suffixes = [suffix.lower() for suffix in path.suffixes if suffix.lower() not in (".gz", ".zst")]
    with open_bytes(path, WANTED) as raw, _unpacked(path, raw) as file:
        try:
            check_text(path, file, WANTED)
            parse = _objects if suffixes[-1:] == [".jsonl"] else _paragraphs
            yield from parse(path, Lines(file))
        except BadRow as bad:
            raise Error(f"{path}: line {bad.args[0]}, {bad.args[1]}; mend it.") from bad
        except (EOFError, OSError, zlib.error, *_zst_errors()) as error:
            raise Error(f"{path} cannot be unpacked ({error}); copy the file again.") from error


def _unpacked(path, file):
    if path.suffix.lower() == ".gz":
        return gzip.GzipFile(fileobj=file)
    if path.suffix.lower() == ".zst":
        try:
            import zstandard
        except ImportError:
            raise missing("zstandard", str(path)) from None
        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(file))
    return file


def _zst_errors():
    """Return what zstandard raises on a damaged file; nothing where it is not in use."""
    module = sys.modules.get("zstandard")
    return (module.ZstdError,) if module else ()


def _paragraphs(path, lines):
    document = []
    for line in lines:
        text = line.strip()
        if text:
            document.append(text)
        elif document:
            yield document
            document = []
    if document:
        yield document


def _objects(path, lines):
    for line in lines:
        if not line.strip():
            continue
        try:
            text = json.loads(line)["text"]
        except (ValueError, RecursionError, KeyError, TypeError):
            raise BadRow(lines.number, f"{line[:40]!r} came where an object with a \"text\" was wanted") from None
        if not isinstance(text, str):
            raise BadRow(lines.number, f"its \"text\" is {text!r:.40}, wanted a string")
        if _HALF.search(text):
            raise BadRow(lines.number, "its \"text\" holds half of a surrogate pair (\\ud800 to \\udfff), which is no "
                         "character")
        document = [part.strip() for part in text.split("\n") if part.strip()]
        if document:
            yield document
