"""Small files: their size is checked before reading, and they are written whole or not at all."""

import hashlib
import json
import os
from itertools import islice
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.bounded import LARGEST, content, opened
from bertkit.files.lock import remove_dead, temporary_name

MOST_FILES = 200_000        # of a folder: the largest published data with a text a file has 100,000
SETTINGS = 1 << 24          # bytes; the most that a file of settings has, such as a config.json


def read_text(path: str | Path, most: int = LARGEST) -> str:
    """Return the text of a UTF-8 file.

    Args:
        path: the file.
        most: the most bytes that such a file has.

    Returns:
        The text, a str.

    Raises:
        Error: when the file is missing, larger than `most` bytes, no regular file, unreadable or not UTF-8.
    """
    found = content(path, most)
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        raise Error(f"{path}, line {line}: these bytes are not UTF-8; save it as UTF-8.") from None


def read_json(path: str | Path, shape: Any = dict, most: int = LARGEST, signed: bool = False,
              advice: str = "copy the file again") -> dict[str, Any]:
    """Return the JSON object of a file.

    Args:
        path: the file.
        shape: what it holds, see `schema`.
        most: the most bytes that such a file has.
        signed: whether it is a file that `write_json` signs: its checksum is compared, where it has one, and left out.
        advice: what messages advise.

    Returns:
        The object, a dict.

    Raises:
        Error: when the file cannot be read, is not JSON (with line and column), or holds something else than `shape`.
    """
    found = schema.parse(read_text(path, most), path, shape, advice)
    return schema.check_sum(found, path) if signed else found


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file, or of a folder.

    The sum of a folder is that of the names of its files and their sums.

    Args:
        path: file or folder.

    Returns:
        64 hexadecimal digits.

    Raises:
        Error: when a file cannot be read, or a folder holds more than `MOST_FILES` files.
    """
    try:
        if Path(path).is_dir():
            inside = sorted(islice((file for file in Path(path).rglob("*") if file.is_file()), MOST_FILES + 1))
            if len(inside) > MOST_FILES:
                raise Error(f"{path} holds more than {MOST_FILES} files, which no folder that bertkit reads does; give "
                            "the right one.")
            sums = [f"{file.relative_to(path)} {sha256(file)}\n" for file in inside]
            return hashlib.sha256("".join(sums).encode("utf-8", "surrogateescape")).hexdigest()
        with opened(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise Error(f"{error.filename or path} cannot be read ({error.strerror}); give a readable file.") from None


def write_json(path: str | Path, value: Any, signed: bool = False) -> None:
    """Write a value as an indented JSON file, whole or not at all.

    A value with nan or infinity raises ValueError. Of names of files that are not UTF-8 the other bytes are escaped.

    Args:
        path: the file.
        value: value that JSON can hold.
        signed: whether the value is an object that is written with its checksum, which `read_json` compares.

    Raises:
        Error: when the file cannot be written.
    """
    value = schema.signed(value) if signed else value
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """Write a UTF-8 file, whole or not at all.

    Args:
        path: the file.
        text: the text.

    Raises:
        Error: when the file cannot be written.
    """
    try:
        write_bytes(path, text.encode("utf-8", "backslashreplace"))      # \\udce9 is JSON, too
    except OSError as error:
        raise Error(f"{path} cannot be written ({error.strerror}); choose another place.") from None


def write_bytes(path: str | Path, content: bytes | memoryview) -> None:
    """Write a file under a temporary name, sync it and rename it, so that it is whole or absent.

    A file that cannot be written raises OSError.

    Args:
        path: the file.
        content: the bytes.
    """
    path = Path(path)
    remove_dead(path)
    temporary = temporary_name(path)
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
