"""Documents from plain text and JSONL, compressed or not: memory holds one at a time."""

import gzip
import hashlib
import io
import json
import re
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

from bertkit.data.lines import BadRow, Lines, check_text, opened
from bertkit.errors import Error
from bertkit.requirements import missing

WANTED = "text (a paragraph a line, a blank line after each document) or .jsonl (key text), also as .gz or .zst"
_HALF = re.compile("[\ud800-\udfff]")
KEY = 16            # bytes of a digest: of 2^32 documents two are taken for one with a chance of 10^-19


@dataclass(frozen=True)
class Selection:
    """Which documents are left out: those of fewer than `least` or more than `most` characters, and copies.

    A copy has the words of one before it, whatever blanks and case stand between them; of each document 16 bytes are
    remembered.
    """

    least: int = 0
    most: int | None = None
    copies: bool = True


@dataclass
class Counts:
    """What a reading has seen so far."""

    documents: int = 0
    characters: int = 0
    short: int = 0
    long: int = 0
    copies: int = 0


def documents(paths, selection=Selection(), counts=None, known=None):
    """Yield the documents of files, each a list of its paragraphs; `counts` (a `Counts`) is kept up to date.

    `known` is the set of documents that were there before, by digest.

    Plain text has a paragraph a line and a blank line after each document; .jsonl has an object a line, whose "text" is
    split at its line ends. Lines end at \\n only. Raises `Error` with file and line for what is not UTF-8 or not such
    an object, and for a file that is cut.

    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "a.txt"
    >>> _ = path.write_text("One.\\nTwo.\\n\\n\\nThree.\\n")
    >>> list(documents([path]))
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
    with opened(path, WANTED) as raw, _unpacked(path, raw) as file:
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
