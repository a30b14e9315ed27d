"""Folders of sentence-transformers: where the files of the transformer lie, and whether it lower-cases texts first."""

from pathlib import Path, PurePosixPath
from typing import Any

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import SETTINGS, read_json, read_text

CONFIGS = "sentence_*_config.json"


def transformer_folder(folder: Path) -> Path:
    """Return the folder of the transformer's files, which modules.json names.

    Args:
        folder: the folder of a checkpoint.

    Returns:
        The folder, `folder` itself where no modules.json names another one.

    Raises:
        Error: when modules.json is malformed, or names a folder that is not beside it.
    """
    path = folder / "modules.json"
    if not path.exists():
        return folder
    modules = schema.parse(read_text(path, SETTINGS), path, [{"type": str, "path": str}])
    places = [module["path"] for module in modules if module["type"].rsplit(".", 1)[-1] == "Transformer"]
    parts = PurePosixPath(places[0]).parts if places else ()
    if len(parts) > 1 or ".." in parts or places and places[0].startswith("/"):
        raise Error(f"{path} names the folder {places[0]!r}; wanted one beside it, such as 0_Transformer.")
    return folder.joinpath(*parts) if places else folder


def lowered(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a tokenizer that lower-cases texts first, where sentence_bert_config.json says so.

    Args:
        folder: folder of the transformer's files.
        settings: the settings of a `Tokenizer`.

    Returns:
        The settings, with one step of normalisation more where it makes a difference.
    """
    files = sorted(folder.glob(CONFIGS))
    said = [read_json(path, {"do_lower_case": schema.Maybe((bool, None))}, SETTINGS) for path in files]
    lower = any(content.get("do_lower_case") for content in said)
    before = settings.get("normalization", [])
    if not lower or ["lowercase"] in before or settings.get("kind", "wordpiece") in ("wordpiece", "japanese") and (
            settings.get("lowercase", True)):
        return settings
    return settings | {"normalization": [["lowercase"], *before]}
