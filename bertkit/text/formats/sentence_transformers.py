"""Folders of sentence-transformers: whether texts are lower-cased first."""

from pathlib import Path
from typing import Any

from bertkit.files import schema
from bertkit.files.atomic import SETTINGS, read_json

CONFIGS = "sentence_*_config.json"


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
