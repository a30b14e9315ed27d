"""Read packed files, .gz, .zst and .zip, as if they were not packed."""

import gzip
import io
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.requirements import missing

PACKED = (".gz", ".zst", ".zip")
_HIDDEN = ("__MACOSX/", ".")        # what macOS adds to its archives


def inner_name(path: Path) -> str:
    """Return the name of the file that a packed file holds; the name of a file that is not packed.

    Args:
        path: The file.

    Returns:
        The name. Its suffix says what the content is.

    Raises:
        Error: when a .zip cannot be read, or does not hold exactly one file.

    >>> inner_name(Path("rows.csv.gz"))
    'rows.csv'
    """
    suffix = path.suffix.lower()
    if suffix == ".zip" and path.is_file():
        with _archive(path, str(path)) as archive:
            return Path(_member(path, archive).filename).name
    return path.name.removesuffix(path.suffix) if suffix in PACKED else path.name


def unpacked(path: Path, file: io.BufferedReader) -> io.BufferedReader:
    """Return an open file's content without its packing; the file itself where its name says that it has none.

    Args:
        path: The file, whose suffix says how it is packed.
        file: The open file.

    Returns:
        An open file of bytes, which has `peek`. What cannot be unpacked raises `Error` when it is read.

    Raises:
        Error: when the package zstandard is missing, and when a .zip does not hold exactly one file.
    """
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return io.BufferedReader(_Checked(path, gzip.GzipFile(fileobj=file)))
    if suffix == ".zst":
        return io.BufferedReader(_Checked(path, _zstandard(path).ZstdDecompressor().stream_reader(
            file, read_across_frames=True)))
    if suffix == ".zip":
        archive = _archive(path, file)
        try:
            return io.BufferedReader(_Checked(path, archive.open(_member(path, archive))))
        except (RuntimeError, NotImplementedError) as error:         # a password; a method that Python does not know
            raise Error(f"{path} cannot be unpacked ({error}); unpack it by hand and give the file in it.") from None
    return file


class _Checked(io.RawIOBase):
    """The bytes of a packed file; damage raises `Error`.

    Args:
        path: The file.
        stream: What unpacks it.
    """

    def __init__(self, path: Path, stream: Any) -> None:
        self.name, self.stream = str(path), stream

    def readable(self) -> bool:
        """Return True."""
        return True

    def close(self) -> None:
        """Close what unpacks the file."""
        self.stream.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Read bytes into a buffer; return how many.

        Args:
            buffer: Where they go.

        Returns:
            The number of bytes, 0 at the end.

        Raises:
            Error: when the file is damaged.
        """
        try:
            data = self.stream.read(len(buffer))
        except (EOFError, OSError, zlib.error, zipfile.BadZipFile, *_zst_errors()) as error:
            raise Error(f"{self.name} cannot be unpacked ({error}); copy the file again.") from error
        buffer[:len(data)] = data
        return len(data)


def _archive(path, file):
    try:
        return zipfile.ZipFile(file)
    except (OSError, zipfile.BadZipFile) as error:
        raise Error(f"{path} cannot be unpacked ({error}); copy the file again.") from None


def _member(path, archive):
    """Return the one file of an archive."""
    found = [each for each in archive.infolist() if not each.is_dir() and not each.filename.startswith(_HIDDEN)]
    if len(found) != 1:
        names = ", ".join(each.filename for each in found[:5])
        raise Error(f"{path} holds {len(found)} files ({names}); wanted one: unpack it and give the file itself.")
    return found[0]


def _zstandard(path):
    try:
        import zstandard
    except ImportError:
        raise missing("zstandard", str(path)) from None
    return zstandard


def _zst_errors():
    """Return what zstandard raises on a damaged file; nothing where it is not in use."""
    module = sys.modules.get("zstandard")
    return (module.ZstdError,) if module else ()
