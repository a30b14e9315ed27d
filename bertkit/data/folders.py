"""Read labelled documents, published as a folder for each class with a text a file."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from bertkit.data.encodings import as_utf8
from bertkit.data.lines import BadRow
from bertkit.data.readers import Examples
from bertkit.data.records import check_limit
from bertkit.errors import Error
from bertkit.files import bounded

WANTED = "a folder for each class with one text a file in it, FOLDER/CLASS/NAME.txt"
LARGEST = 2**26         # bytes of one text: the longest novels have some millions


def read_folder(path: str | Path, limit: int | None = None, skip_bad_rows: bool = False) -> Examples:
    """Read the texts FOLDER/CLASS/NAME.txt in UTF-8, the first of each class, then the second ones, and so on.

    The folder's name is the class; the order in it is that of the names; so the first `limit` texts are of all classes.
    A row's line is its number among the files. Rows belong together (`Examples.groups`) where classes have texts of the
    same name up to its last "-" or "_", as the levels of an article have. Hidden files are skipped.

    Args:
        path: The folder.
        limit: Read the first texts only.
        skip_bad_rows: List files that cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Examples`.

    Raises:
        Error: naming the file, when one cannot be read or is no .txt, and when there is no text.
    """
    path = Path(path)
    kept: list[Any] = []
    skipped: list[Any] = []
    check_limit(limit)
    files = _first_of_each_folder_first(file for file in path.glob("*/*") if not _hidden(file))
    if not any(file.suffix == ".txt" for file in files):
        raise Error(f"{path} holds no texts; wanted {WANTED}.")
    for number, file in enumerate(files, start=1):
        try:
            kept.append((number, _text(number, file), file))
        except BadRow as bad:
            if not skip_bad_rows:
                raise Error(f"{file}: {bad.args[1]}; mend it, or leave such files out with "
                            "--skip-bad-rows.") from None
            skipped.append((number, f"{file.name}: {bad.args[1]}"))
        if len(kept) == limit:
            break
    if not kept:
        raise Error(f"{path} holds no text that can be used ({len(skipped)} were skipped); wanted {WANTED}.")
    numbers, texts, used = map(list, zip(*kept, strict=True))
    return Examples(path, "folders", {}, texts, None, [file.parent.name for file in used], numbers, skipped,
                    _groups(used))


def _first_of_each_folder_first(files):
    """Return files, the first of each folder by name, then the second of each, and so on."""
    folders = {}
    for file in sorted(files):
        folders.setdefault(file.parent, []).append(file)
    places = [(place, file) for group in folders.values() for place, file in enumerate(group)]
    return [file for _, file in sorted(places)]


def _hidden(file):
    return file.name.startswith(".") or file.parent.name.startswith(".")


def _text(number, file):
    if file.suffix != ".txt":
        raise BadRow(number, "a class's folder holds texts alone, NAME.txt")
    try:
        if file.stat().st_size > LARGEST:
            raise BadRow(number, f"{file.stat().st_size} bytes came, and a text has at most {LARGEST}")
        with bounded.opened(file) as opened:
            content = as_utf8(file, opened).read(LARGEST)
    except OSError as error:
        raise BadRow(number, f"it cannot be read ({error.strerror})") from None
    except Error as error:
        raise BadRow(number, str(error).removeprefix(f"{file} ").rstrip(".")) from None
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = len(content[content.rfind(b"\n", 0, error.start) + 1:error.start].decode("utf-8")) + 1
        raise BadRow(number, f"line {line}, column {column}: the byte {content[error.start]:#04x} is not "
                             "UTF-8") from None


def _groups(files):
    """Return the group of each file: its name up to the last "-" or "_", or all of it where a class has two of those.
    """
    starts = [re.sub(r"[-_][^-_]*\Z", "", file.stem) for file in files]
    counts = Counter((start, file.parent) for start, file in zip(starts, files, strict=True))
    several = {start for (start, _), count in counts.items() if count > 1}
    return [file.stem if start in several else start for start, file in zip(starts, files, strict=True)]
