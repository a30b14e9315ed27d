"""Small files: sizes checked before reading, written whole or not at all, told apart by their SHA-256."""

import hashlib
import json
import os
from pathlib import Path

from bertkit.errors import Error

LARGEST = 1 << 28                             # bytes; the largest published tokenizer.json has 2^25


def read_text(path):
    """Return the text of a UTF-8 file; raises Error if it is missing, huge or not UTF-8."""
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise Error(f"{path} has more than {LARGEST} bytes, which no such file has; give the "
                        "right one.")
        content = path.read_bytes()
    except FileNotFoundError:
        raise Error(f"{path} is missing; give an existing file, or copy the whole folder again.") from None
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give a file that can.") from None
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Error(f"{path}, line {line}: these bytes are not UTF-8; save it as UTF-8.") from None


def read_json(path):
    """Return the JSON object of a file; raises Error with line and column if it is none."""
    try:
        value = json.loads(read_text(path))
    except (json.JSONDecodeError, RecursionError) as error:
        raise Error(f"{path} is not JSON ({error}); copy the file again.") from None
    if not isinstance(value, dict):
        raise Error(f"{path} holds a JSON {type(value).__name__}, wanted an object; "
                    "copy the file again.")
    return value


def sha256(path):
    """Return a file's SHA-256 as hexadecimal digits; of a folder, that of its files' names and sums."""
    if Path(path).is_dir():
        inside = (file for file in sorted(Path(path).rglob("*")) if file.is_file())
        sums = [f"{file.relative_to(path)} {sha256(file)}\n" for file in inside]
        return hashlib.sha256("".join(sums).encode()).hexdigest()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_json(path, value):
    """Write a value as a JSON file, indented, whole or not at all; raises ValueError on nan and infinity."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path, text):
    """Write a UTF-8 file, whole or not at all; raises `Error` where the place cannot be written."""
    try:
        write_bytes(path, text.encode("utf-8"))
    except OSError as error:
        raise Error(f"{path} cannot be written ({error.strerror}); choose another place.") from None


def write_bytes(path, content):
    """Write a file by a temporary name, synced and renamed, so that it is whole or absent; raises OSError."""
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
