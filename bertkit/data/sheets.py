"""Rows of files that are no text: Parquet and Arrow, folders of Hugging Face `datasets`, Excel's .xlsx."""

import datetime
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from bertkit.data.frames import Frame, frame_rows
from bertkit.data.values import Number
from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.bounded import check_regular, content
from bertkit.requirements import missing

ARROW = (".parquet", ".arrow", ".feather")
EXCEL = (".xlsx", ".xlsm")


def is_dataset(path: Path) -> bool:
    """Return whether a folder is a split, or several, that `save_to_disk` of Hugging Face `datasets` left.

    Args:
        path: The folder.

    Returns:
        Whether it holds their files.
    """
    return path.is_dir() and any((path / name).is_file() for name in ("state.json", "dataset_dict.json"))


def arrow_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a .parquet or .arrow file, of a folder of `datasets`, or of a `Frame`.

    Numbers of a column that Hugging Face calls a ClassLabel become the names of the classes; -1, which says that there
    is no label, becomes None.

    Args:
        path: The file or folder.

    Yields:
        {column: value}, values as a JSON file would hold them.

    Raises:
        Error: when pyarrow is missing, the file cannot be read, or the folder holds several splits.
    """
    if isinstance(path, Frame):
        yield from frame_rows(path)
        return
    if (path / "dataset_dict.json").is_file():
        splits = sorted(each.name for each in path.iterdir() if each.is_dir())
        raise Error(f"{path} holds several splits ({', '.join(splits)}); give the folder of one, such as "
                    f"{path / (splits[0] if splits else 'train')}.")
    files = _data_files(path) if path.is_dir() else [path]
    try:
        import pyarrow
    except ImportError:
        raise missing("pyarrow", str(path)) from None
    try:
        for file in files:
            check_regular(file)
            with pyarrow.OSFile(str(file)) as source:
                for batch in _batches(file, source):
                    names = _class_names(batch.schema)
                    for row in batch.to_pylist():
                        yield {name: json_value(value, names.get(name)) for name, value in row.items()}
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError) as error:
        raise Error(f"{path} cannot be read as {path.suffix or 'Arrow'} ({error!s:.200}); write it again.") from error


def _data_files(folder):
    """Return the files of a split in their order."""
    path = folder / "state.json"
    state = schema.parse(content(path), path, {"_data_files": [{"filename": str}]}, "save the dataset again")
    return [folder / Path(each["filename"]).name for each in state["_data_files"]]


def _batches(path, source):
    if path.suffix.lower() == ".parquet":
        from pyarrow import parquet
        return parquet.ParquetFile(source).iter_batches()
    from pyarrow import ArrowInvalid, ipc
    try:
        return iter(ipc.open_stream(source))            # as `datasets` writes it
    except ArrowInvalid:
        source.seek(0)
        file = ipc.open_file(source)
        return (file.get_batch(number) for number in range(file.num_record_batches))


def _class_names(described):
    """Return {column: names of its classes} that Hugging Face wrote into the file."""
    try:
        features = json.loads((described.metadata or {})[b"huggingface"])["info"]["features"]
        found = {name: feature if "names" in feature else feature.get("feature", {})
                 for name, feature in features.items() if isinstance(feature, dict)}
        return {name: feature["names"] for name, feature in found.items() if feature.get("names")}
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def json_value(value: Any, names: Sequence[str] | None = None) -> Any:
    """Return a value as a JSON file would hold it.

    Args:
        value: The value.
        names: The names of classes, where whole numbers are these.

    Returns:
        None, a bool, a `Number`, a str, or a list or dict of these.
    """
    if isinstance(value, list):
        return [json_value(part, names) for part in value]
    if isinstance(value, dict):
        return {str(name): json_value(part) for name, part in value.items()}
    if names and isinstance(value, int):
        return names[value] if 0 <= value < len(names) else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Number(value)
    return value if value is None or isinstance(value, str | bool) else str(value)


def excel_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of the one sheet of an .xlsx file that holds any, as texts; empty rows are [].

    Of a formula the value is read that Excel saved. A whole number has no point, an empty cell is "".

    Args:
        path: The file.

    Yields:
        The cells.

    Raises:
        Error: when openpyxl is missing, the file cannot be read, or several sheets hold rows.
    """
    try:
        import openpyxl
    except ImportError:
        raise missing("openpyxl", str(path)) from None
    check_regular(path)
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        full = [sheet for sheet in book.worksheets if any(map(_written, sheet.iter_rows(values_only=True)))]
    except Exception as error:                          # of a damaged file openpyxl raises whatever it meets
        raise Error(f"{path} cannot be read as .xlsx ({error!s:.200}); save it again.") from error
    if len(full) > 1:
        names = ", ".join(repr(sheet.title) for sheet in full[:9])
        raise Error(f"{path} has rows in {len(full)} sheets ({names}); keep one in the file.")
    width = 0
    for cells in (row for sheet in full for row in sheet.iter_rows(values_only=True)):
        texts = [_cell(cell) for cell in cells] if _written(cells) else []
        width = width or len(_stripped(texts))          # beyond the header a sheet may have empty columns
        yield texts[:width] + _stripped(texts[width:])
    book.close()


def _written(cells):
    return any(cell is not None and cell != "" for cell in cells)


def _stripped(texts):
    """Return texts without the empty ones at their end."""
    while texts and not texts[-1]:
        texts = texts[:-1]
    return texts


def _cell(value):
    if value is None:
        return ""
    if isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
