"""Small files: their size is checked before reading, and they are written whole or not at all."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from bertkit.errors import Error

LARGEST = 1 << 28                             # bytes; the largest published tokenizer.json has 2^25


def read_text(path: str | Path) -> str:
    """Return the text of a UTF-8 file.

    Args:
        path: the file.

    Returns:
        The text, a str.

    Raises:
        Error: when the file is missing, larger than LARGEST bytes, unreadable or not UTF-8.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise Error(f"{path} has more than {LARGEST} bytes, which no such file has; give the "
                        "right one.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise Error(f"{path} is missing; give an existing file, or copy the whole folder again.") from None
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give a readable file.") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Error(f"{path}, line {line}: these bytes are not UTF-8; save it as UTF-8.") from None


def read_json(path: str | Path) -> dict[str, Any]:
    """Return the JSON object of a file.

    Args:
        path: the file.

    Returns:
        The object, a dict.

    Raises:
        Error: when the file cannot be read, is not JSON (with line and column), or holds no object.
    """
    try:
        value = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise Error(f"{path} is not JSON ({error}); copy the file again.") from None
    if not isinstance(value, dict):
        raise Error(f"{path} holds a JSON {type(value).__name__}, wanted an object; "
                    "copy the file again.")
    return value


def sha256(path: str | Path) -> str:
    """Return the SHA-256 of a file, or of a folder.

    The sum of a folder is that of the names of its files and their sums.

    Args:
        path: file or folder.

    Returns:
        64 hexadecimal digits.
    """
    if Path(path).is_dir():
        inside = (file for file in sorted(Path(path).rglob("*")) if file.is_file())
        sums = [f"{file.relative_to(path)} {sha256(file)}\n" for file in inside]
        return hashlib.sha256("".join(sums).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path: str | Path, value: Any) -> None:
    """Write a value as an indented JSON file, whole or not at all.

    A value with nan or infinity raises ValueError.

    Args:
        path: the file.
        value: value that JSON can hold.

    Raises:
        Error: when the file cannot be written.
    """
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
        write_bytes(path, text.encode("utf-8"))
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
    temporary = path.with_name(f".{path.name}.tmp{os.getpid()}")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
