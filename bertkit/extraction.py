"""The vectors that an encoder computes of texts, as arrays of numpy or a .npz file."""

import io
from pathlib import Path
from typing import Any, Literal, overload

import numpy as np

from bertkit import checkpoints
from bertkit.data.columns import Columns
from bertkit.data.features import Padding, check_fit, cut_rows, pack
from bertkit.data.in_memory import split_pairs
from bertkit.data.pipeline import batches_by_length
from bertkit.data.texts import file_texts
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.files.atomic import write_bytes
from bertkit.files.schema import Whole, check_argument
from bertkit.heads.task_model import TaskModel
from bertkit.tasks.columns import to_list
from bertkit.terminal import say, with_progress
from bertkit.text import Tokenizer

Pooling = Literal["mean", "max", "cls"]
# Texts that are packed and computed together; more take no more memory than these and the result.
CHUNK = 1024
POOLINGS = {"mean": lambda tokens, cls: tokens.mean(axis=0), "max": lambda tokens, cls: tokens.max(axis=0),
            "cls": lambda tokens, cls: tokens[cls], None: lambda tokens, cls: tokens}


@overload
def features(model: Encoder | TaskModel, texts: Any, tokenizer: Tokenizer, layer: int = -1,
             pooling: Pooling = "mean", length: int = 128, batch_size: int = 32) -> np.ndarray: ...


@overload
def features(model: Encoder | TaskModel, texts: Any, tokenizer: Tokenizer, layer: int = -1, *, pooling: None,
             length: int = 128, batch_size: int = 32) -> list[np.ndarray]: ...


def features(model: Encoder | TaskModel, texts: Any, tokenizer: Tokenizer, layer: int = -1,
             pooling: Pooling | None = "mean", length: int = 128,
             batch_size: int = 32) -> np.ndarray | list[np.ndarray]:
    """Return the vectors that an encoder computes of texts: what other models learn from.

    Special tokens count, padding never does. A text of more tokens is cut, and how many were is said; so is, of long
    work, how far it is.

    Args:
        model: An `Encoder`, or a model of bertkit's that has one.
        texts: A list of strings or of pairs of strings; an array [B] or [B,2], or a column of pandas.
        tokenizer: The tokenizer of the encoder.
        layer: After which layer: 0 are the embeddings, -1 is the last one, as in `encoder(batch, trace=True)`.
        pooling: `"mean"` or `"max"` over a text's tokens, `"cls"`, its classification token (in a vocabulary without
            one the first token), or None for the vectors of all its tokens.
        length: Tokens that a text is cut to, special tokens included, but no more than the encoder has positions.
        batch_size: Texts that are computed together.

    Returns:
        float32 [B,D]; with `pooling=None` a list of B arrays, float32 [tokens,D].

    Raises:
        Error: If the encoder has no such layer, the tokenizer does not fit it, or texts are no list of texts.

    >>> from bertkit import load
    >>> encoder, tokenizer = load("bertkit://english", part="encoder"), Tokenizer.load("bertkit://english")
    >>> features(encoder, ["a wonderful film", "rain"], tokenizer).shape
    (2, 384)
    """
    encoder = model if isinstance(model, Encoder) else getattr(model, "encoder", None)
    if not isinstance(encoder, Encoder):
        raise Error(f"A {type(model).__name__} came, and it has no encoder of bertkit's; give what bertkit.load "
                    "returns.")
    if pooling not in POOLINGS:
        raise Error(f"pooling={pooling!r} is unknown; give mean, max, cls or None.")
    for name, value, least in (("layer", layer, -10_000), ("length", length, 1), ("batch_size", batch_size, 1)):
        check_argument(name, value, Whole(least))
    layer, length = _layer(encoder, layer), min(length, encoder.config.max_length or length)
    check_fit(tokenizer, encoder.config, length)
    texts, vectors, cut, cls = to_list(texts, "texts"), [], 0, _cls(tokenizer)
    for chunk in with_progress(_chunks(*split_pairs(texts)), len(texts), "computed"):
        rows, lost = cut_rows(tokenizer, *split_pairs(chunk), length)
        cut += lost
        packed = pack(rows, Padding.of(tokenizer))
        vectors += [POOLINGS[pooling](tokens, cls) for tokens in _vectors(encoder, packed, layer, batch_size)]
    if cut:
        say(f"{cut:,} of {len(texts):,} texts have more than {length} tokens and were cut.")
    if pooling is None:
        return vectors
    return np.stack(vectors) if vectors else np.zeros((0, encoder.config.output_dim), "float32")


def write_features(model: str, data: str, out: str, columns: Columns = Columns(), layer: int = -1,
                   pooling: Pooling | None = "mean", length: int = 128, batch_size: int = 32) -> dict:
    """Write the `features` of a file's texts to a .npz file.

    Args:
        model: A checkpoint: whatever `bertkit.load` takes.
        data: The file of texts (see `data.texts`).
        out: The .npz file to write. `features` in it are float32 [texts,D]; with `pooling=None` float32 [tokens,D],
            and those of text i are `features[starts[i]:starts[i + 1]]`.
        columns: The names of the columns that hold the texts.
        layer: After which layer, as in `features`.
        pooling: How the vectors of a text's tokens become one, as in `features`.
        length: Tokens that a text is cut to, as in `features`.
        batch_size: Texts that are computed together.

    Returns:
        {"written", "rows", "width"}.

    Raises:
        Error: As `features` does, or if the file is there already or cannot be written.
    """
    if Path(out).suffix != ".npz" or Path(out).exists():
        wrong = "is already there" if Path(out).exists() else "is not the name of a .npz file"
        raise Error(f"{out} {wrong}; give another --out, such as vectors.npz.")
    texts = file_texts(data, columns)
    tokenizer = Tokenizer.load(model)
    found = features(checkpoints.load(model, part="encoder"), texts, tokenizer, layer, pooling=pooling, length=length,
                     batch_size=batch_size)
    arrays: dict[str, Any] = {"features": found} if pooling is not None else {
        "features": np.concatenate(found), "starts": np.cumsum([0, *map(len, found)])}
    content = io.BytesIO()
    np.savez(content, **arrays)
    write_bytes(out, content.getbuffer())
    return {"written": str(out), "rows": len(texts), "width": arrays["features"].shape[-1]}


def _layer(encoder, layer):
    """Return the number of a layer, counted from 0; raises `Error` where there is none."""
    layers = len(encoder.order)
    if not -layers - 1 <= layer <= layers:
        raise Error(f"layer={layer}, and this encoder has {layers} layers; give 0 (the embeddings) to {layers}, or "
                    f"{-layers - 1} to -1, counted from the last.")
    return layer % (layers + 1)


def _chunks(first, second):
    texts = first if second is None else list(zip(first, second, strict=True))
    return (texts[start:start + CHUNK] for start in range(0, len(texts), CHUNK))


def _cls(tokenizer):
    """Return where the classification token stands in a row: in front, or at the end (XLNet)."""
    return -1 if tokenizer.layout(paired=False)[-1][0] == tokenizer.cls_id else 0


def _vectors(encoder, rows, layer, batch_size):
    """Return the vectors of each row's tokens, in the rows' order, whatever batches they are computed in."""
    vectors = [None] * len(rows)
    for numbers, inputs in batches_by_length(rows, batch_size):
        states = _states(encoder, inputs, layer)
        for number, tokens, mask in zip(numbers, states, inputs["padding_mask"], strict=True):
            vectors[number] = tokens[mask == 1]
    return vectors


def _states(encoder, inputs, layer):
    """Return the vectors after a layer, float32 [B,T,D]; the last ones need no trace where nothing comes after them."""
    if layer == len(encoder.order) and encoder.ending is None:
        states = encoder.predict_on_batch(inputs)["sequence"]
    else:
        states = encoder(inputs, trace=True, training=False)["trace"][f"hidden/{layer}"]
    return np.asarray(states).astype("float32", copy=False)
