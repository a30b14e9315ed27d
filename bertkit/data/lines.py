"""The lines of a text file: it is opened, checked to be text, and decoded line by line."""

from io import BufferedReader
from pathlib import Path
from typing import Any

from bertkit.errors import Error

TABLE = "a .tsv, .csv or .jsonl file"
LONGEST = 2**28  # the most bytes of a line; a file with a longer one is not rows of text
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"


class BadRow(Exception):
    """A row that cannot be used; its arguments are the line and the reason."""


def open_bytes(path: Path, wanted: str = TABLE) -> BufferedReader:
    """Open a file to read its bytes.

    Args:
        path: The file.
        wanted: What the error says was wanted.

    Returns:
        The open file.

    Raises:
        Error: when the file cannot be opened.
    """
    if path.is_dir():
        raise Error(f"{path} is a folder; give {wanted} in it.")
    try:
        return open(path, "rb")
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give an existing file.") from error


def check_text(path: Path, file: Any, wanted: str = TABLE) -> None:
    """Check that the beginning of an open file is text in UTF-8.

    Args:
        path: The file.
        file: The open file, which has `peek`.
        wanted: What the error says was wanted.

    Raises:
        Error: when the file is empty, in UTF-16, or not text.
    """
    head = file.peek(4096)[:4096]
    if not head:
        raise Error(f"{path} is empty; wanted {wanted}.")
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise Error(f"{path} is UTF-16; convert it with iconv -f UTF-16 -t UTF-8.")
    controls = len(head) - len(head.translate(None, _CONTROLS))
    # A stray NUL is text; of compressed bytes some 11 % are controls, of UTF-16 about half.
    if controls > max(3, 0.03 * len(head)):
        raise Error(f"{path} is not text ({controls} of its first {len(head)} bytes are control "
                    f"characters); give {wanted} in UTF-8, not compressed.")


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
            raise BadRow(self.number, f"column {column}: the byte {line[error.start]:#04x} is "
                          "not UTF-8 (Latin-1 is converted with "
                          "iconv -f ISO-8859-1 -t UTF-8)") from error
        return text.removeprefix("\ufeff") if self.number == 1 else text
