"""The lines of a text file: it is open_bytes, checked to be text, and decoded line by line."""

from io import BufferedReader
from pathlib import Path
from typing import Any

from bertkit.data.encodings import as_utf8, encoding_name, unmarked_encoding
from bertkit.data.unpacked import unpacked
from bertkit.errors import Error
from bertkit.files import bounded

TABLE = "a .tsv, .csv or .jsonl file"
LONGEST = 2**28  # the most bytes of a line; a file with a longer one is not rows of text
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"


class BadRow(Exception):
    """A row that cannot be used; its arguments are the line and the reason."""


class NoRow(BadRow):
    """A row that holds no example, such as one without a label: to leave it out loses nothing."""


class SecondHeader(NoRow):
    """A row that is the header again.

    Args:
        line: The line.
        record: The row: where the first row is no header after all, it is one like others.
    """

    def __init__(self, line: int, record: list[str]) -> None:
        super().__init__(line, "the header comes again")
        self.record = record


class BadByte(BadRow):
    """A row that is not UTF-8: to leave it out would lose what converting the file keeps."""


class Rejected(BadRow):
    """A row that an annotator rejected or skipped: it is left out, and counted, whether that is asked for or not."""


def open_bytes(path: Path, wanted: str = TABLE) -> BufferedReader:
    """Open a file to read its bytes; those of a packed file (.gz, .zst, .zip) are unpacked, UTF-16 becomes UTF-8.

    Args:
        path: The file.
        wanted: What the error says was wanted.

    Returns:
        The open file.

    Raises:
        Error: when the file cannot be open_bytes.
    """
    if path.is_dir():
        raise Error(f"{path} is a folder; give {wanted} in it.")
    try:
        return as_utf8(path, unpacked(path, bounded.opened(path)))
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give an existing file.") from error


def check_text(path: Path, file: Any, wanted: str = TABLE) -> None:
    """Check that the beginning of an open file is text in UTF-8.

    Args:
        path: The file.
        file: The open file, which has `peek`.
        wanted: What the error says was wanted.

    Raises:
        Error: when the file is empty, in UTF-16 without a byte order mark, or not text.
    """
    head = file.peek(4096)[:4096]
    if not head:
        raise Error(f"{path} is empty; wanted {wanted}.")
    if encoding := unmarked_encoding(head):
        raise Error(f"{path} is {encoding} and has no byte order mark; convert it with iconv -f {encoding} -t UTF-8.")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    # A stray NUL is text; of compressed bytes some 11 % are controls, of UTF-16 about half.
    if controls > max(3, 0.03 * len(head)):
        raise Error(f"{path} is not text ({controls} of its first {len(head)} bytes are control "
                    f"characters); give {wanted} in UTF-8, not compressed.")


def encoded_form(path: Path, form: str) -> str:
    """Return what a message calls the form of a text file: its encoding is said where it is not UTF-8.

    Args:
        path: The file.
        form: The form, such as "TSV".

    Returns:
        `form`, or such as "TSV, UTF-16".
    """
    with open_bytes(path) as file:
        encoding = encoding_name(file)
    return f"{form}, {encoding}" if encoding else form


class Lines:
    r"""The decoded lines of a file, which end at \n alone. After a line that raises, the next one can still be read.

    Args:
        file: A file that is open to read bytes.
    """

    def __init__(self, file: Any) -> None:
        self.file, self.number = file, 0

    def __iter__(self):
        return self

    def __next__(self):
        line = self.file.readline(LONGEST)
        if not line:
            raise StopIteration
        self.number += 1
        if len(line) == LONGEST:
            raise Error(f"{self.file.name}: line {self.number} does not end within {LONGEST} "
                        "bytes; give one example a line.")
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            column = len(line[:error.start].decode("utf-8")) + 1
            raise BadByte(self.number, f"column {column}: the byte {line[error.start]:#04x} is not UTF-8 "
                                       f"({encoding_advice(line)})") from error
        return text.removeprefix("\ufeff") if self.number == 1 else text


def encoding_advice(line: bytes) -> str:
    r"""Return how text that is not UTF-8 becomes UTF-8.

    What Windows and Excel save and call ANSI or Latin-1 is Windows-1252: read as ISO-8859-1, its quotes, dashes and
    euro signs would become control characters, which tokenizers drop. Five bytes are no character of Windows-1252.

    Args:
        line: The bytes.

    Returns:
        The advice, without a full stop.

    >>> encoding_advice(b"don\x92t")
    'text that Windows saved is converted with iconv -f WINDOWS-1252 -t UTF-8, Cyrillic with -f WINDOWS-1251'
    """
    if set(line) & set(b"\x81\x8d\x8f\x90\x9d"):
        return "it is not Windows-1252 either; convert the file with iconv -f ENCODING -t UTF-8"
    return "text that Windows saved is converted with iconv -f WINDOWS-1252 -t UTF-8, Cyrillic with -f WINDOWS-1251"
