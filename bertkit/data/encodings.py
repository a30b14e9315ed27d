"""Text in UTF-16, as Excel saves "Unicode text" and PowerShell writes files, read as if it were UTF-8."""

import codecs
import io
from typing import Any

from bertkit.errors import Error

_MARKS = {b"\xff\xfe\x00\x00": "UTF-32-LE", b"\x00\x00\xfe\xff": "UTF-32-BE", b"\xff\xfe": "UTF-16-LE",
          b"\xfe\xff": "UTF-16-BE"}


def marked_encoding(head: bytes) -> str | None:
    r"""Return the encoding that the byte order mark at the beginning of a file names.

    Args:
        head: The first bytes of the file.

    Returns:
        "UTF-16-LE", "UTF-16-BE", "UTF-32-LE" or "UTF-32-BE"; None for UTF-8, with a mark or without.

    >>> marked_encoding(b"\xff\xfet\x00")
    'UTF-16-LE'
    """
    return next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)


def unmarked_encoding(head: bytes) -> str | None:
    r"""Return the encoding of text that is clearly UTF-16, though it has no byte order mark.

    In UTF-16 the other half of an ASCII character, a line end at least, is NUL: always before it, or always behind it.
    Few characters beyond ASCII have a NUL as well.

    Args:
        head: The first bytes of the file.

    Returns:
        "UTF-16LE" or "UTF-16BE", as iconv calls them; None for other bytes.

    >>> unmarked_encoding("a\tb\n1\t2\n".encode("utf-16-be")), unmarked_encoding(b"a\x00\tb\n")
    ('UTF-16BE', None)
    """
    odd, even = head[1::2].count(0), head[::2].count(0)
    if odd + even < 2 or min(odd, even) > 0.1 * max(odd, even) or 4 * (odd + even) < len(head) and _is_utf8(head):
        return None
    name = "UTF-16LE" if odd > even else "UTF-16BE"
    try:
        head[:len(head) // 2 * 2].decode(name, "strict")
    except UnicodeDecodeError as error:                 # the last character may be cut in two
        return name if error.start >= len(head) // 2 * 2 - 2 else None
    return name


def _is_utf8(head):
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return True


def as_utf8(path: Any, file: io.BufferedReader) -> io.BufferedReader:
    """Return an open file as UTF-8.

    Args:
        path: The file, for errors.
        file: The open file.

    Returns:
        The file itself, or where it begins with the byte order mark of UTF-16, its text in UTF-8.

    Raises:
        Error: when the file is UTF-32.
    """
    encoding = marked_encoding(file.peek(4)[:4])
    if encoding is None:
        return file
    if encoding.startswith("UTF-32"):
        raise Error(f"{path} is UTF-32; convert it with iconv -f UTF-32 -t UTF-8.")
    return io.BufferedReader(_Recoded(path, file, encoding))


class _Recoded(io.RawIOBase):
    """The bytes of a file in UTF-16 as UTF-8; what is no UTF-16 raises `Error`.

    Args:
        path: The file.
        file: The open file, which begins with a byte order mark.
        encoding: "UTF-16-LE" or "UTF-16-BE".
    """

    def __init__(self, path: Any, file: io.BufferedReader, encoding: str) -> None:
        self.name, self.file, self.encoding = str(path), file, encoding
        self.decoder, self.rest, self.ended = codecs.getincrementaldecoder(encoding)(), b"", False

    def readable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close the file itself."""
        self.file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Read bytes of UTF-8 into a buffer; return how many.

        Args:
            buffer: Where they go.

        Returns:
            The number of bytes, 0 at the end.

        Raises:
            Error: when the file is no UTF-16.
        """
        while not self.rest and not self.ended:
            data = self.file.read(max(len(buffer) // 2, 2))
            self.ended = not data
            try:
                self.rest = self.decoder.decode(data, final=self.ended).encode("utf-8")
            except UnicodeDecodeError as error:
                raise Error(f"{self.name} begins as UTF-16 and goes on as something else ({error.reason}); save it "
                            "again, as UTF-8.") from None
        made, self.rest = self.rest[:len(buffer)], self.rest[len(buffer):]
        buffer[:len(made)] = made
        return len(made)


def encoding_name(file: Any) -> str | None:
    """Return the encoding of a file that `as_utf8` opened.

    Args:
        file: The open file.

    Returns:
        "UTF-16"; None for UTF-8.
    """
    return "UTF-16" if isinstance(getattr(file, "raw", None), _Recoded) else None
