"""Folders that bertkit writes: whole or not at all, and never over something that it did not write."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.files.lock import Lock, remove_dead, temporary_name

LONGEST_NAME = 220          # bytes; a name of a file has 255 at most, and ".NAME.old.tmp1234567" stands beside it
# The kinds of folders that bertkit writes. For each: the files that mark a folder of this kind, and patterns of its
# other files. The files that a marking JSON file lists under "files" belong to it too.
WRITTEN = {
    "bundle": (("bundle.json", "card.json"), ("logs/events.out.tfevents.*", "logs/projector_config.pbtxt",
                                              "logs/projector/*", "logs/plugins/profile/*", "README.md")),
    "phone": (("ondevice.json", "card.json"), ("ladder.html",)),
    "web": (("ondevice.json", "card.json", "index.html"), (
        "ladder.html", "LICENSE-LiteRT.js.txt", "page/*.js", "page/page.css", "page/about.json", "bertkit/*.js",
        "litert/*.js", "litert/wasm/litert_wasm_*.wasm")),
    "saved_model": (("saved_model.pb", "card.json"), (
        "fingerprint.pb", "variables/variables.*", "assets/*", "assets.extra/tf_serving_warmup_requests",
        "batching.config", "compose.yaml")),
    "onnx": (("config.json", "card.json", "onnx/model.onnx"), (
        "onnx/model_quantized.onnx", "onnx/model_fp16.onnx", "vocab.txt", "vocab.json", "merges.txt", "tokenizer.json",
        "tokenizer_config.json", "modules.json", "sentence_bert_config.json", "config_sentence_transformers.json",
        "?_Pooling/config.json", "?_Dense/config.json", "?_Dense/model.safetensors")),
    "huggingface": (("config.json", "card.json"), ("model.safetensors", "vocab.txt", "vocab.json", "merges.txt",
                                                   "tokenizer.json", "tokenizer_config.json")),
    "corpus": (("manifest.json",), ("shard-*.tfrecord", "shard-*.index")),
    "search": (("index/index.json", "scores.json"), ("index/*.safetensors", "run.txt")),
}


def working_folder(out: str | Path) -> Path:
    """Return the folder of a run under way: OUT.tmp, also where OUT ends in a slash.

    Args:
        out: The folder that the run will leave.

    Returns:
        The folder.

    >>> working_folder("runs/first/").name
    'first.tmp'
    """
    return Path(f"{os.path.abspath(out)}.tmp")


@contextmanager
def new_folder(path: str | Path, kind: str | None = None) -> Iterator[Path]:
    """Make a temporary folder that becomes `path` when the block ends well and is removed otherwise; a context manager.

    A folder that is already at `path` is replaced only if bertkit wrote all of it, as a folder of the same kind.

    Args:
        path: the folder to write.
        kind: kind of the folder, a key of `WRITTEN`; None never replaces a folder.

    Yields:
        The temporary folder, a `Path`.

    Raises:
        Error: when the folder cannot be written, or holds something that bertkit did not write.
    """
    path = Path(os.path.abspath(path))              # because "." has no name from which to make a temporary one
    remove_dead(path)
    check_replaceable(path, kind)
    temporary = temporary_name(path)
    try:
        temporary.mkdir(parents=True)
        lock = Lock(temporary, patience=0)
    except OSError as error:
        raise Error(f"{path} cannot be written ({error.strerror}); choose another --out.") from None
    try:
        yield temporary
        check_replaceable(path, kind)               # again, because something may have been put there since
        _put_in_place(temporary, path)
    except OSError as error:
        raise Error(f"Writing {path} failed ({_reason(error)}); nothing was left there.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        lock.release()


def check_replaceable(path: str | Path, kind: str | None = None) -> None:
    """Check that a folder can be written, and holds nothing but what bertkit wrote as a folder of this kind.

    Args:
        path: the folder to write.
        kind: kind of the folder, a key of `WRITTEN`; None allows only a new or an empty folder.

    Raises:
        Error: when the folder cannot be written, or holds something that bertkit did not write.
    """
    path = Path(path)
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:                  # of another encoding, or of a locale that has no such characters
        raise Error(f"{path} is a name that is not UTF-8, which TensorFlow cannot write; choose another --out, or a "
                    "locale of UTF-8 (LC_ALL=C.UTF-8).") from None
    if path.is_symlink() and not path.exists():
        raise Error(f"{path} is a link to something that is not there; remove it, or choose another --out.")
    if len(os.fsencode(path.name)) > LONGEST_NAME:
        raise Error(f"{path} has a name of more than {LONGEST_NAME} bytes, beside which no temporary name fits; choose "
                    "a shorter --out.")
    existing = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not existing.is_dir() and existing != path or not os.access(existing, os.W_OK):
        raise Error(f"{path} cannot be written, because {existing} is no folder one can write to; choose "
                    "another --out.")
    if path.exists() and not path.is_dir():
        raise Error(f"{path} is a file; choose a new --out.")
    if not path.is_dir() or not any(path.iterdir()):
        return
    if kind is None or not all((path / name).is_file() for name in WRITTEN[kind][0]):
        raise Error(f"{path} is a folder with other things in it; choose a new --out.")
    if foreign := _foreign(path, *WRITTEN[kind]):
        raise Error(f"{path} would be replaced, and it holds {foreign}, which bertkit did not write there; move it "
                    "away, or choose a new --out.")


def _foreign(folder, marks, patterns):
    """Return the first entry of a folder that bertkit did not write, or None."""
    names = set(marks)
    for name in marks:
        files = read_json(folder / name).get("files") if name.endswith(".json") and name != "card.json" else None
        names.update(files if isinstance(files, dict) else ())
    entries = (path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*"))
               if path.is_symlink() or not path.is_dir())
    return next((entry for entry in entries if entry not in names
                 and not any(fnmatchcase(entry, pattern) for pattern in patterns)), None)


def _reason(error):
    """Return the reason of the system; shutil collects (from, to, reason) of every file."""
    return error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror or error


def _put_in_place(temporary, path):
    old = temporary_name(path, ".old")
    replaces = path.exists()
    if replaces:
        os.replace(path, old)
    try:
        os.replace(temporary, path)
    except OSError:
        if replaces:
            os.replace(old, path)
        raise
    shutil.rmtree(old, ignore_errors=True)
