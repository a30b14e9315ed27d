"""A bundle as a page: one opens it in a browser, types, and sees what the model says; nothing leaves the machine."""

import dataclasses
import tempfile
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path

from bertkit.card import Card
from bertkit.data.columns import Columns
from bertkit.data.frames import Data
from bertkit.export import litert_js
from bertkit.export.tflite import export_tflite
from bertkit.files.atomic import read_json, read_text, write_json, write_text
from bertkit.files.folders import new_folder
from bertkit.ondevice.runner import METADATA, MODEL
from bertkit.terminal import say

PAGE = "index.html"


def export_web(folder: str | Path, out: str | Path, precision: str = "int8", length: int | None = None,
               dev: Data | None = None, max_drop: float = 1.0, columns: Columns = Columns(),
               separator: str = "|", skip_bad_rows: bool = False, lengths: str | Sequence[int] | None = None,
               prefer: str = "size", litert: str | Path | None = None, fetch: bool = False) -> Card:
    """Write a fine-tuned bundle as a folder for a plain file server, which holds a page that answers.

    The folder holds what `export_tflite` leaves, the JavaScript client (`bertkit/`), LiteRT.js (`litert/`) with its
    licence, and index.html. Where the server sends the headers COOP and COEP, several threads compute.

    Args:
        folder: The folder of the bundle.
        out: The folder to write; nothing is left there after an error.
        precision: One of `parity.LADDER`, or "auto" (see `export_tflite`). In a browser layers in 4 bits are slow.
        length: Tokens of a row; by default as `dev` asks, or what the bundle was trained with.
        dev: A file of labelled rows, or rows in memory, on which the file is scored.
        max_drop: Points of the main metric that it may lose there.
        columns: Names of the columns of `dev`.
        separator: What stands between the labels in a cell of `dev` where a text has several.
        skip_bad_rows: Whether to go on without rows of `dev` that cannot be used.
        lengths: Several lengths in one file, in place of `length`.
        prefer: What "auto" takes: "size", the smallest file, or "speed".
        litert: A node_modules that holds @litertjs/core; by default the one in bertkit's cache.
        fetch: Whether npm may install it into the cache where it is not there.

    Returns:
        The `Card` of what was written.

    Raises:
        Error: when LiteRT.js is not there, and when `export_tflite` raises it.
    """
    modules = litert_js.find(litert, fetch)
    with new_folder(out, "web") as place:
        with tempfile.TemporaryDirectory(dir=place) as work:
            made = Path(work) / Path(out).name
            card = export_tflite(folder, made, precision, length, dev, max_drop, columns, separator, skip_bad_rows,
                                 lengths, prefer)
            for path in made.iterdir():
                path.rename(place / path.name)
        _write_page(place, card, litert_js.copy(modules, place))
        sizes = {f"{name}/": sum(path.stat().st_size for path in (place / name).rglob("*") if path.is_file())
                 for name in ("bertkit", "litert", "page")}
        card = dataclasses.replace(card, bytes={**card.bytes, **sizes})
        write_json(place / "card.json", card.to_json())
    say(f"Serve it with any file server: python -m http.server --directory {out}")
    return card


def _write_page(place, card, version):
    """Write the client and the page with what it says about itself."""
    client = Path(str(resources.files("bertkit.web")))
    for path in sorted(client.glob("src/**/*.js")):
        if path.name == "node.js":
            continue
        target = place / "bertkit" / path.relative_to(client / "src")
        target.parent.mkdir(parents=True, exist_ok=True)
        write_text(target, read_text(path))
    (place / "page").mkdir()
    for path in sorted(client.glob("page/*")):
        if path.name != PAGE:
            write_text(place / "page" / path.name, read_text(path))
    facts = read_json(place / METADATA)
    write_json(place / "page/about.json", {
        "precision": card.parity["precision"], "bytes": (place / MODEL).stat().st_size, "litert": version,
        "lengths": facts.get("lengths", [facts["length"]])})
    write_text(place / PAGE, read_text(client / "page" / PAGE).replace("{title}", escape(card.name)))
