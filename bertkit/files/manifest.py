"""The size and SHA-256 of each file of a folder, written with the files and checked before they are used."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import sha256
from bertkit.files.schema import Each, Whole

ENTRY = {"bytes": Whole(), "sha256": str}
FILES = Each(ENTRY)                             # what a manifest says of its files, for `schema.check`


def describe(folder: str | Path, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return the size and the SHA-256 of files of a folder.

    Args:
        folder: the folder.
        names: names of the files.

    Returns:
        A dict {name: {"bytes", "sha256"}}.
    """
    return {name: {"bytes": (Path(folder) / name).stat().st_size, "sha256": sha256(Path(folder) / name)}
            for name in names}


def check(folder: str | Path, files: dict[str, dict[str, Any]], wanted: Iterable[str] = ()) -> None:
    """Check that every file of a manifest is in the folder as it was written.

    Args:
        folder: the folder.
        files: dict of `describe`, of the shape `FILES`.
        wanted: names of the files that will be used, which the manifest must name.

    Raises:
        Error: when a file is missing or has changed, or the manifest does not name one that is used.
    """
    if unnamed := [name for name in wanted if name not in files]:
        raise Error(f"{Path(folder) / unnamed[0]} is used, and the folder's manifest does not name it, so it cannot be "
                    "told whether it was changed; copy the folder again.")
    for name, metadata in files.items():
        path = Path(folder) / name
        if Path(name).name != name or not path.is_file():
            raise Error(f"{path} is missing, and its folder's manifest names it; copy the folder again.")
        if path.stat().st_size != metadata["bytes"] or sha256(path) != metadata["sha256"]:
            raise Error(f"{path} is not the file that was written (its SHA-256 differs); copy the folder "
                        "again.")
