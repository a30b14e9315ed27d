"""Read tagged sentences of any form."""

from pathlib import Path

from bertkit.data.columns import Columns
from bertkit.data.conll import read_conll
from bertkit.data.sentences import Sentences


def read_tagged(path: str | Path, columns: Columns = Columns(), limit: int | None = None,
                skip_bad_rows: bool = False) -> Sentences:
    """Read tagged sentences.

    Args:
        path: The file.
        columns: Names of columns.
        limit: Read the first sentences only.
        skip_bad_rows: List what cannot be used in `.skipped`, instead of an error.

    Returns:
        The `Sentences`.
    """
    return read_conll(path, columns, limit, skip_bad_rows)
