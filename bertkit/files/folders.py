"""Folders that bertkit writes: whole or not at all, and never over something else."""

import os
import shutil
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path

from bertkit.errors import Error
from bertkit.files.atomic import read_json

# Folders that bertkit writes: the files that say that one is of this kind, and what else is written there, beside what
# a JSON file among the former names itself under "files".
WRITTEN = {
    "bundle": (("bundle.json", "card.json"), ("logs/events.out.tfevents.*", "logs/projector_config.pbtxt",
                                              "logs/projector/*")),
    "phone": (("ondevice.json", "card.json"), ()),
    "saved_model": (("saved_model.pb", "card.json"), ("fingerprint.pb", "variables/variables.*", "assets/*")),
    "huggingface": (("config.json", "card.json"), ("model.safetensors", "vocab.txt", "vocab.json", "merges.txt",
                                                   "tokenizer.json", "tokenizer_config.json")),
    "corpus": (("manifest.json",), ("shard-*.tfrecord", "shard-*.index")),
    "search": (("index/index.json", "scores.json"), ("index/*.safetensors", "run.txt")),
}


@contextmanager
def new_folder(path, kind=None):
    """Give a temporary folder that becomes `path` when the block ends well, and vanishes otherwise.

    A folder already at `path` is replaced only if bertkit wrote all of it, as one of the same `kind` (see `WRITTEN`);
    otherwise, and where the place cannot be written, `Error`.
    """
    path = Path(os.path.abspath(path))              # "." has no name to put a temporary one beside
    check_replaceable(path, kind)
    temporary = path.with_name(f".{path.name}.tmp{os.getpid()}")
    try:
        temporary.mkdir(parents=True)
    except OSError as error:
        raise Error(f"{path} cannot be written ({error.strerror}); choose another --out.") from None
    try:
        yield temporary
        check_replaceable(path, kind)               # again: what lies there may have come while this was made
        _put_in_place(temporary, path)
    except OSError as error:
        raise Error(f"Writing {path} failed ({_reason(error)}); nothing was left there.") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_replaceable(path, kind=None):
    """Raise `Error` if `path` cannot be written, or holds something else than what bertkit wrote as such a `kind`."""
    path = Path(path)
    ground = next(place for place in (path, *path.absolute().parents) if place.exists())
    if not ground.is_dir() and ground != path or not os.access(ground, os.W_OK):
        raise Error(f"{path} cannot be written, because {ground} is no folder one can write to; choose "
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
    """Return what the system said; shutil gathers it as (from, to, reason) of every file."""
    return error.args[0][0][2] if isinstance(error, shutil.Error) else error.strerror or error


def _put_in_place(temporary, path):
    old = path.with_name(f".{path.name}.old.tmp{os.getpid()}")
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
