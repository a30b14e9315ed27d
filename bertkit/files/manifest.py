"""The size and SHA-256 of each file of a folder, written with it and checked before it is used."""

from pathlib import Path

from bertkit.errors import Error
from bertkit.files.atomic import sha256


def describe(folder, names):
    """Return {name: {"bytes", "sha256"}} of files of a folder."""
    return {name: {"bytes": (Path(folder) / name).stat().st_size, "sha256": sha256(Path(folder) / name)}
            for name in names}


def check(folder, files):
    """Raise `Error` unless every file of a `describe` mapping stands in the folder as it was written."""
    for name, metadata in files.items():
        path = Path(folder) / name
        if Path(name).name != name or not path.is_file():
            raise Error(f"{path} is missing, and its folder's manifest names it; copy the folder again.")
        if path.stat().st_size != metadata["bytes"] or sha256(path) != metadata["sha256"]:
            raise Error(f"{path} is not the file that was written (its SHA-256 differs); copy the folder "
                        "again.")
