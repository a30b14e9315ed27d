"""The command that leaves a bundle in another form. As in commands.py."""

from typing import Any, Literal

from bertkit.card import Card
from bertkit.data.columns import Columns


def export(folder: str, /, out: str, to: Literal["saved_model", "tflite", "web", "mediapipe", "onnx"] = "tflite",
           precision: Literal["auto", "float32", "float16", "dynamic", "int8", "int4", "int4-small", "int8-static",
                              "int8-full"] = "int8",
           length: int | None = None, lengths: str | None = None, dev: str | None = None, max_drop: float = 1.0,
           prefer: Literal["size", "speed"] = "size", separator: str = "|", skip_bad_rows: bool = False,
           litert: str | None = None, fetch: bool = False, columns: Columns = Columns()) -> Card:
    """Leave a SavedModel for a server, a .tflite with its proof for a phone, a page, or ONNX files; return its card.

    folder          a bundle that a recipe left
    out             the folder to write; of mediapipe the file, such as messages.tflite
    to              saved_model; tflite; web, a page around it that answers in a browser, on a file server; mediapipe,
                    one .tflite of any length for MediaPipe's TextClassifier or TextEmbedder; onnx, a folder for ONNX
                    Runtime, transformers.js and sentence-transformers, in float and in int8
    precision       of a .tflite: int8 keeps accuracy, int4 has a table half as large, int4-small small layers too,
                    int8-static computes the layers in integers, int8-full all up to the head (first train the bundle
                    for it by `bertkit quantize`); auto makes all but the last and takes the best that keeps the answers
    length          tokens that the .tflite takes; by default as many as dev asks, without dev as it was trained
    lengths         several lengths in one file, such as 32,64,128: a text is computed at the smallest that fits
    dev             labelled rows to score the file on; without them the card says that it was not scored
    max_drop        points of the main metric that the file may lose; if it surely loses more, it is refused
    prefer          what auto takes of those that keep the answers: the smallest file (size), or the fastest (speed)
    separator       what parts the labels in a cell of dev, for a multi-label bundle
    skip_bad_rows   go on without rows of dev that cannot be used, and say how many
    litert          web: a node_modules that holds @litertjs/core; by default the one in bertkit's cache
    fetch           web: let npm install LiteRT.js into bertkit's cache where it is not there
    """
    from bertkit.export import export as run
    options: dict[str, Any] = {"precision": precision, "length": length, "lengths": lengths, "dev": dev,
                               "max_drop": max_drop, "prefer": prefer, "separator": separator,
                               "skip_bad_rows": skip_bad_rows, "columns": columns}
    page = {"litert": litert, "fetch": fetch}
    others = {"precision": "int8", "length": None, "lengths": None, "prefer": "size"}     # refused by name where given
    proof = {name: value for name, value in options.items() if name not in others or value != others[name]}
    short = {name: value for name, value in options.items() if name != "prefer" and (name, value) != ("lengths", None)}
    by_target = {"tflite": options, "web": options | page, "mediapipe": short, "onnx": proof}
    return run(folder, to, out, **by_target.get(to, {}))
