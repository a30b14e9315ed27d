"""modules.json of sentence-transformers: which modules a text goes through, and the folder of each."""

import re
from pathlib import Path
from typing import NamedTuple

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import SETTINGS, read_text

FILE = "modules.json"
_PLACE = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*|")


class Module(NamedTuple):
    """A module.

    Args:
        kind: The name of its class.
        place: The folder of its files inside the folder of the model, or "".
    """

    kind: str
    place: str


def read_modules(folder: Path) -> list[Module]:
    """Return the modules of a sentence-transformers folder, in order.

    Args:
        folder: The folder.

    Returns:
        The modules; an empty list where the folder has no modules.json.

    Raises:
        Error: When the file is no list of modules, names a folder outside, or a class that is not of
            sentence-transformers.
    """
    path = folder / FILE
    if not path.exists():
        return []
    found = []
    for module in schema.parse(read_text(path, SETTINGS), path, [{"type": str, "path": str}]):
        package, _, kind = module["type"].rpartition(".")
        if not _PLACE.fullmatch(module["path"]):
            raise Error(f"{path} names the folder {module['path']!r:.80}; wanted one beside it, such as 1_Pooling.")
        if package.partition(".")[0] != "sentence_transformers":
            raise Error(f"{path} names {module['type']!r:.80}, code of its own, which bertkit does not run; remove the "
                        "file to load the encoder alone.")
        found.append(Module(kind, module["path"]))
    return found


def encoder_folder(folder: Path) -> Path:
    """Return where the encoder and its tokenizer lie: 0_Transformer in old folders of sentence-transformers.

    Args:
        folder: The folder of a checkpoint.

    Returns:
        A folder inside it, as modules.json says; without that file the folder itself.

    Raises:
        Error: When modules.json is malformed, or names a folder that is missing.
    """
    if not (folder / FILE).exists() or (folder / "bundle.json").exists():
        return folder
    place = next((module.place for module in read_modules(folder) if module.kind == "Transformer"), "")
    if not (folder / place).is_dir():
        raise Error(f"{folder / FILE} names the folder {place}, which is missing; copy it too.")
    return folder / place
