"""Texts of a file: a text a line, or the columns of a table."""


from bertkit.data.columns import Columns
from bertkit.data.frames import Data, data_path
from bertkit.data.lines import BadRow, Lines, check_text, open_bytes
from bertkit.data.readers import read_examples
from bertkit.data.records import TABLES, row_error, suffix
from bertkit.errors import Error

WANTED = "a file with a text a line, or a table (.csv, .tsv, .jsonl, .json, .xlsx, .parquet)"


def file_texts(path: Data, columns: Columns = Columns()) -> list:
    """Return the texts of a file, or its pairs of texts.

    Args:
        path: A table (see `records.table`), whose columns are recognised as in training; any other file has a text a
            line.
        columns: The names of the columns, where they are not recognised.

    Returns:
        A list of str, or of (first, second) where the file has pairs.

    Raises:
        Error: If the file cannot be read, with the line that is at fault.
    """
    path = data_path(path)
    if suffix(path) in TABLES:
        examples = read_examples(path, columns.text, columns.second, labels_required=None)
        return examples.first if examples.second is None else list(zip(examples.first, examples.second, strict=True))
    if columns != Columns():
        raise Error(f"{path} has a text a line and no columns; leave --text and --second out.")
    with open_bytes(path, WANTED) as file:
        check_text(path, file, WANTED)
        try:
            return [line.removesuffix("\n").removesuffix("\r") for line in Lines(file)]
        except BadRow as bad:
            raise row_error(path, bad, skippable=False) from bad
