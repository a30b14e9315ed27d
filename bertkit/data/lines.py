"""The lines of a file of text: opened, looked at before it is taken for text, decoded one by one."""

from bertkit.errors import Error

TABLE = "a .tsv, .csv or .jsonl file"
LONGEST = 2**28  # bytes of a line; beyond it a file is not rows of text
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\x1b")) + b"\x7f"


class BadRow(Exception):
    """A row that cannot be used; args are its line and the reason."""


def opened(path, wanted=TABLE):
    """Return a file opened to read its bytes; raises Error, which says what was `wanted`."""
    if path.is_dir():
        raise Error(f"{path} is a folder; give {wanted} in it.")
    try:
        return open(path, "rb")
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give an existing file.") from error


def check_text(path, file, wanted=TABLE):
    """Raise Error unless what an opened file begins with is text in UTF-8."""
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
    """Decoded lines, ended by \\n alone; after one that raises, the next can still be read."""

    def __init__(self, file):
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
