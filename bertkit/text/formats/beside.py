"""The small files beside a vocabulary: what they say of its tokens, and which of two that differ is followed.

The rules are those of Hugging Face's transformers 5. Where tokenizer_config.json has added_tokens_decoder, neither
special_tokens_map.json nor added_tokens.json counts; else special_tokens_map.json counts before tokenizer_config.json.
"""

import contextlib
import functools
import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.text.added import Added

logger = logging.getLogger(__name__)

ROLES = ("unk", "cls", "sep", "pad", "mask", "bos", "eos")
NEW = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")       # the order in which missing ones get an id
CONFIG, MAP, ADDED = "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"
LISTS = ("additional_special_tokens", "extra_special_tokens")
FLAGS = {field.name for field in fields(Added)} - {"content"}
# What other programs did with these keys; transformers 5 passes over them too.
UNREAD = {"do_basic_tokenize": (True, None), "never_split": ([], None), "split_special_tokens": (False, None),
          "split_by_punct": (False, None)}
# The class of transformers that reads a model, where no file names one.
CLASSES = {"bert": "Bert", "distilbert": "Bert", "electra": "Bert", "mobilebert": "MobileBert", "roberta": "Roberta",
           "longformer": "Roberta", "albert": "Albert", "xlnet": "XLNet", "xlm-roberta": "XLMRoberta",
           "camembert": "Camembert", "big_bird": "BigBird", "reformer": "Reformer", "mpnet": "MPNet",
           "deberta-v2": "DebertaV2", "nomic_bert": "Bert"}
GENERIC = ("modernbert",)       # models for which transformers 5 takes the tokenizer.json as it is, whatever is named


@contextlib.contextmanager
def complete_json(path: Path) -> Iterator[None]:
    """Turn the exceptions of a JSON file that lacks a part into an `Error`; a context manager.

    Args:
        path: the file, for messages.

    Yields:
        Nothing.

    Raises:
        Error: when the block meets a missing or malformed part.
    """
    try:
        yield
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        raise Error(f"{path} is not a whole {path.name} ({type(error).__name__}: {error}); "
                    "copy the file again.") from None


@functools.cache
def say_once(message: str) -> None:
    """Log a warning, once in a process.

    Args:
        message: the warning.
    """
    logger.warning("%s", message)


def read(folder: Path, name: str) -> dict[str, Any]:
    """Read a JSON file of a folder.

    Args:
        folder: the folder.
        name: the name of the file.

    Returns:
        Its content, a dict; {} where there is no such file.
    """
    path = folder / name
    return read_json(path) if path.exists() else {}


def tokenizer_class(folder: Path) -> str:
    """Return the class with which transformers 5 reads the tokenizer of a folder.

    Args:
        folder: folder of the files.

    Returns:
        The class without "Tokenizer" and "Fast" at its end, such as "Bert"; "" for the class of all tokenizer.json.
    """
    model = read(folder, "config.json")
    if model.get("model_type") in GENERIC:
        return ""
    named = read(folder, CONFIG).get("tokenizer_class") or model.get("tokenizer_class")
    if not isinstance(named, str):
        return CLASSES.get(str(model.get("model_type")), "")
    named = named.removesuffix("Fast").removesuffix("Tokenizer")
    return "" if named in ("PreTrained", "TokenizersBackend") else named


def special(folder: Path, default: dict[str, Any]) -> dict[str, Any]:
    """Return the special tokens that special_tokens_map.json and tokenizer_config.json name.

    Args:
        folder: folder of the files.
        default: dict {role: token or None} for the roles that no file names.

    Returns:
        A dict {role: token or None} of ROLES.
    """
    config, older = read(folder, CONFIG), read(folder, MAP)
    names = {role: default.get(role) for role in ROLES}
    for content in (config,) if "added_tokens_decoder" in config else (config, older):
        names |= _named(content)
    for file, content in ((CONFIG, config), (MAP, older)):
        for role, token in _named(content).items():
            if token != names[role]:
                say_once(f"{folder / file} says {role}_token={token!r}, {folder / (MAP if file == CONFIG else CONFIG)} "
                         f"says or leaves {names[role]!r}; the latter is taken, as transformers does.")
    return names


def added(folder: Path, vocabulary: Sequence[str], names: dict[str, Any], path: Path | None = None,
          listed: Iterable[dict[str, Any]] = ()) -> list[Any]:
    """Return the setting `added` of a `Tokenizer`: the added tokens of all files of a folder.

    Args:
        folder: folder of the files.
        vocabulary: the entries in the order of their ids.
        names: dict {role: token or None}.
        path: the tokenizer.json, or None.
        listed: its added_tokens.

    Returns:
        A list of JSON values that `Added.of` reads; those that the vocabulary lacks are in the order of their ids.

    Raises:
        Error: when a token is malformed, or has an id that its place does not give.
    """
    config, older = read(folder, CONFIG), read(folder, MAP)
    decoder = config.get("added_tokens_decoder")
    with complete_json(folder / CONFIG):
        _say_unread(folder, config)
        extra, named = _extra(config), _flagged(config)
        newer = [_Listed(_token(folder / CONFIG, token), int(i), folder / CONFIG)
                 for i, token in (decoder or {}).items()]
    with complete_json(folder / MAP):
        older_extra, older_named = _extra(older), _flagged(older)
        # transformers 5 does not count additional_special_tokens of special_tokens_map.json here.
        special = {*names.values(), *extra, *(_extra(older, LISTS[1:]) if decoder is None else ())}
    if decoder is None:
        extra, named = extra | older_extra, named | older_named
    tokens = {token["content"]: _Listed(_token(path, token), token["id"], path) for token in listed}
    for one in newer:
        _override(tokens, one)
    for content, i in read(folder, ADDED).items():
        token = Added(content, content in special, normalized=content not in special)
        _older(tokens, _Listed(token, i, folder / ADDED), decoder is not None)
    if lost := [content for content in older_extra if content not in extra and content not in tokens]:
        say_once(f"{folder / MAP} names {lost[0]!r}, which {folder / CONFIG} lacks; it is passed over, as "
                 "transformers does.")
    return _in_order(tokens, named, extra, vocabulary, [names[role] for role in NEW if names[role]])


@dataclass(frozen=True)
class _Listed:
    """An added token with its id, and the file that lists it."""

    token: Added
    id: int
    path: Path | None


def _say_unread(folder, config):
    if config.get("split_by_punct") and tokenizer_class(folder) == "DebertaV2":
        raise Error(f"{folder / CONFIG} has split_by_punct=true, by which transformers splits texts at punctuation "
                    "whatever other files say, and bertkit does not; give a checkpoint without it.")
    for key, usual in UNREAD.items():
        if config.get(key) not in usual:
            say_once(f"{folder / CONFIG} says {key}={config[key]!r:.60}, which is passed over, as transformers 5 does.")


def _override(tokens, new):
    """Take a token of tokenizer_config.json in the place of that of tokenizer.json; say it where they differ."""
    old = tokens.get(new.token.content)
    if old is not None and old.token != new.token:
        one, other = ({name: getattr(token, name) for name in sorted(FLAGS) if getattr(old.token, name)
                       != getattr(new.token, name)} for token in (old.token, new.token))
        say_once(f"{old.path} has the added token {new.token.content!r} with {one}, {new.path} with {other}; the "
                 "latter is taken, as transformers does.")
    tokens[new.token.content] = new


def _older(tokens, new, passed_over):
    """Take a token of added_tokens.json, unless another file lists it."""
    if new.token.content in tokens:
        return
    if not isinstance(new.id, int) or isinstance(new.id, bool):
        raise Error(f"{new.path}: the added token {new.token.content!r} has the id {new.id!r:.40}; wanted a whole "
                    "number.")
    if passed_over:
        say_once(f"{new.path} has {new.token.content!r}, which added_tokens_decoder of {new.path.with_name(CONFIG)} "
                 "lacks; it is passed over, as transformers does.")
        return
    tokens[new.token.content] = new


def _in_order(tokens, named, extra, vocabulary, names):
    """Return the settings of all tokens: first those with an id, by it, then new ones, which get the ids behind."""
    known, count, settings = {entry: i for i, entry in enumerate(vocabulary)}, len(vocabulary), []
    for listed in sorted(tokens.values(), key=lambda listed: listed.id):
        content = listed.token.content
        wanted = known.setdefault(content, count)
        count += wanted == count
        if listed.id != wanted:
            raise Error(f"{listed.path}: the added token {content!r} has the id {listed.id}, wanted {wanted}; "
                        "copy the file again.")
        settings.append(listed.token.settings())
    rest = [token for content, token in extra.items() if content not in tokens]
    if any(token.content not in known for token in rest):     # then the names that no file lists get ids before them
        rest = [*(named.get(name, Added(name)) for name in names if name not in known), *rest]
    known_named = [token for content, token in named.items() if content in known and content not in tokens]
    return [*settings, *(token.settings() for token in known_named), *(token.settings() for token in rest)]


def _named(content):
    """Return {role: token} of the roles that a file names."""
    tokens = {role: content.get(f"{role}_token") for role in ROLES}
    tokens = {role: token.get("content") if isinstance(token, dict) else token for role, token in tokens.items()}
    return {role: token for role, token in tokens.items() if isinstance(token, str)}


def _flagged(content):
    """Return {content: Added} of the roles whose token a file gives with flags."""
    tokens = [content.get(f"{role}_token") for role in ROLES]
    return {token["content"]: replace(_token(None, token), special=True) for token in tokens
            if isinstance(token, dict) and isinstance(token.get("content"), str)}


def _extra(content, lists=LISTS):
    """Return {content: Added} of the special tokens of a file that have no role: those of lists, and x_token keys."""
    values = [value for listed in (content.get(key) or () for key in lists)
              for value in (listed.values() if isinstance(listed, dict) else listed)]
    values += [value for key, value in content.items() if key.endswith("_token") and key[:-6] not in ROLES
               and isinstance(value, str)]
    tokens = [Added.of(value) if isinstance(value, str) else replace(_token(None, value), special=True)
              for value in values]
    return {token.content: token for token in tokens}


def _token(path, value):
    """Return the token of a JSON object of Hugging Face."""
    if not isinstance(value, dict) or not isinstance(value.get("content"), str):
        raise Error(f"{path}: the added token {value!r:.60} is malformed; copy the file again.")
    special = value.get("special", False)
    flags = {name: value[name] for name in FLAGS if name in value}
    return Added.of({"content": value["content"], "special": special, "normalized": not special, **flags})
