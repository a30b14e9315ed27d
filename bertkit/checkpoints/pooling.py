"""How a checkpoint makes vectors of texts: what a sentence-transformers folder, or an embedder's bundle, says of it."""

from pathlib import Path, PurePosixPath
from typing import Any

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.files.atomic import SETTINGS, read_json, read_text

_MODES = {"mean": "mean", "mean_tokens": "mean", "cls": "cls", "cls_token": "cls", "max": "max", "max_tokens": "max"}
_PREFIX = "pooling_mode_"
_BUNDLE = {"model": {"kind": str, "pooling": schema.Maybe(str), "normalize": schema.Maybe(bool)}}


def pooling(folder: str | Path) -> dict[str, Any]:
    """Return how a checkpoint makes vectors of texts.

    A sentence-transformers folder says it in modules.json and the config.json of its pooling (Reimers & Gurevych 2019,
    in their library).

    Args:
        folder: The folder of the checkpoint.

    Returns:
        {"pooling", "normalize"} for a `SentenceEmbedder`; {} where the checkpoint says nothing of it.

    Raises:
        Error: When the checkpoint has a pooling, or a module after it, that bertkit does not have.
    """
    folder = Path(folder)
    if (folder / "bundle.json").exists():
        model = read_json(folder / "bundle.json", _BUNDLE, signed=True)["model"]
        if model["kind"] != "SentenceEmbedder":
            return {}
        schema.check(model, {"pooling": str, "normalize": bool}, folder / "bundle.json", "copy the bundle again")
        return {name: model[name] for name in ("pooling", "normalize")}
    if not (folder / "modules.json").exists():
        return {}
    modules = _modules(folder / "modules.json")
    kinds = [kind for kind, _ in modules]
    if strange := [kind for kind in kinds if kind not in ("Transformer", "Pooling", "Normalize")]:
        raise Error(f"{folder / 'modules.json'} names a module {strange[0]}, which bertkit has not; remove the file "
                    "to train vectors of your own.")
    places = [place for kind, place in modules if kind == "Pooling"]
    if not places:
        return {}
    return {"pooling": _mode(folder / _inside(folder, places[0]) / "config.json"), "normalize": "Normalize" in kinds}


def _modules(path):
    """Return [(class name, folder)] of modules.json, a list."""
    found = schema.parse(read_text(path, SETTINGS), path, [{"type": str, "path": str}])
    return [(module["type"].rsplit(".", 1)[-1], module["path"]) for module in found]


def _inside(folder, place):
    parts = PurePosixPath(str(place)).parts
    if len(parts) > 1 or ".." in parts or str(place).startswith("/"):
        raise Error(f"{folder / 'modules.json'} names the folder {place!r}; wanted one beside it, such as 1_Pooling.")
    return str(place)


def _mode(path):
    """Return the pooling of a config: {"pooling_mode": "mean"}, or {"pooling_mode_mean_tokens": true, ...}."""
    values = read_json(path, {"pooling_mode": schema.Maybe((str, [str], None))}, SETTINGS)
    said = values.get("pooling_mode")
    modes = ([said] if isinstance(said, str) else said) if said else [
        name.removeprefix(_PREFIX) for name, on in values.items() if name.startswith(_PREFIX) and on is True]
    if len(modes) != 1 or modes[0] not in _MODES:
        raise Error(f"{path} pools by {' and '.join(map(str, modes)) or 'nothing'}; bertkit has mean, cls or max.")
    return _MODES[modes[0]]
