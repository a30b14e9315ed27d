"""SentencePiece tokenizers in files: the tokenizer.json of Hugging Face, or a .model file alone."""

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.text.formats import beside, normalizers, sentencepiece_model
from bertkit.text.formats.huggingface import entries_by_id, require, surroundings, write_tokenizer_json
from bertkit.text.formats.sentencepiece_families import FAMILIES, family, without_missing
from bertkit.text.models.sentencepiece import SPACE

# The keys of tokenizer_config.json that transformers 5 takes for a class, whatever tokenizer.json says.
FOLLOWED = {"Albert": ("do_lower_case", "keep_accents", "add_prefix_space"), "XLNet": ("do_lower_case",),
            "XLMRoberta": ("add_prefix_space",), "Camembert": ("add_prefix_space",), "BigBird": ("add_prefix_space",)}
BYTES_DECODER = {"type": "Sequence", "decoders": [
    {"type": "Replace", "pattern": {"String": SPACE}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}
# The models of the families have these values; any other value changes the ids.
USUAL = {"byte_fallback": False, "dropout": False, "continuing_subword_prefix": False, "end_of_word_suffix": False,
         "ignore_merges": False}
NAMES = {"cls": ("[CLS]", "<cls>", "<s>", "<bos>"), "sep": ("[SEP]", "<sep>", "</s>", "<eos>"),
         "pad": ("<pad>", "[PAD]"), "mask": ("[MASK]", "<mask>"), "bos": ("<s>", "<bos>"), "eos": ("</s>", "<eos>")}


def from_tokenizer_json(folder: Path, content: dict[str, Any]) -> tuple[Sequence[str], dict[str, Any]]:
    """Read a tokenizer.json whose model is Unigram, or BPE on words with a ▁.

    Args:
        folder: folder of the file.
        content: the parsed JSON of the file.

    Returns:
        The vocabulary and the settings of a `Tokenizer`.

    Raises:
        Error: when the file is not whole, or holds a step that bertkit does not have.
    """
    path = folder / "tokenizer.json"
    with beside.complete_json(path):
        steps, charsmap = normalizers.steps(path, content["normalizer"])
        vocabulary, unknown, model = _model(path, content["model"])
        if model["kind"] == "bytefallback":
            _require_whole(path, content["pre_tokenizer"], steps)
        else:
            words, prefix = _words(path, content["pre_tokenizer"])
            steps, prefix = _followed(folder, steps, prefix)
            model |= {"words": words, "prefix": prefix}
        names = _special(folder, content, vocabulary) | {"unk": unknown}
        around = surroundings(folder, content, vocabulary, names)
        # What has a role is no piece of a text; every other added token is found before the model sees the text.
        roles = set(names.values())
        controls = [token["content"] for token in content["added_tokens"] if token["content"] in roles]
        return vocabulary, {**model, "normalization": steps, "charsmap": charsmap, "controls": controls, **around}


def from_legacy(folder: Path, path: Path) -> tuple[Sequence[str], dict[str, Any]]:
    """Read a .model file; the configuration beside it says which family it is of.

    Args:
        folder: folder of the configuration.
        path: the .model file.

    Returns:
        The vocabulary and the settings of a `Tokenizer`.

    Raises:
        Error: when the file is damaged, or of a family or kind that bertkit does not read.
    """
    model = sentencepiece_model.read(path)
    vocabulary, scores, settings = family(folder, path).tokenizer(folder, model)
    charsmap = base64.b64encode(model.charsmap).decode()
    tables = {"scores": scores} if model.kind == "unigram" else {"merges": merges(vocabulary)}
    return vocabulary, {"kind": model.kind, "charsmap": charsmap, **tables, **settings}


def write(folder: Path, tokenizer: Any) -> None:
    """Write tokenizer.json and tokenizer_config.json.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer` whose model is `Unigram` or `BPE`.
    """
    model, tables = tokenizer.model, tokenizer.model.tables()
    mark = {"type": "Metaspace", "replacement": SPACE, "prepend_scheme": "always" if model.prefix else "never",
            "split": True}
    split = {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, mark]}
    whole = model.kind == "bytefallback"
    write_tokenizer_json(folder, tokenizer, normalizer=normalizers.normalizer(model.normalization, tables["charsmap"]),
                         pre_tokenizer=None if whole else split if model.words == "blanks" else mark,
                         decoder=BYTES_DECODER if whole else mark, model=WRITTEN[model.kind](tokenizer, tables))


def merges(vocabulary: Sequence[str]) -> list[str]:
    """Return the merges of SentencePiece's BPE: all pairs of entries that make an entry.

    Args:
        vocabulary: the entries in the order of their ids.

    Returns:
        A list of strings "left right", in the order of the entries that they make.

    Example:
        >>> merges(["ab", "abc", "a", "b", "c", "bc"])
        ['a b', 'a bc', 'ab c', 'b c']
    """
    known = set(vocabulary)
    return [f"{entry[:i]} {entry[i:]}" for entry in vocabulary for i in range(1, len(entry))
            if entry[:i] in known and entry[i:] in known]


def _model(path, model):
    """Return the vocabulary, the unknown token and the other settings of a model."""
    kind = "bpe" if "merges" in model else "unigram"
    usual = USUAL | ({"fuse_unk": True} if kind == "bpe" else {})
    if kind == "bpe" and model.get("byte_fallback"):
        kind, usual = "bytefallback", usual | {"byte_fallback": True, "fuse_unk": bool(model.get("fuse_unk"))}
    if odd := [name for name, wanted in usual.items() if bool(model.get(name)) != wanted]:
        raise Error(f"{path}: its model has {odd[0]}={model.get(odd[0])!r}; bertkit does not read such a tokenizer.")
    if kind != "unigram":
        pairs = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
        return entries_by_id(path, model["vocab"]), model["unk_token"], {"kind": kind, "merges": pairs}
    vocabulary, scores = zip(*model["vocab"], strict=True)
    if not 0 <= model["unk_id"] < len(vocabulary):
        raise ValueError(f"unk_id {model['unk_id']}")
    return vocabulary, vocabulary[model["unk_id"]], {"kind": kind, "scores": list(scores)}


def _unigram(tokenizer, tables):
    return {"type": "Unigram", "unk_id": tokenizer.unk_id, "byte_fallback": False,
            "vocab": list(zip(tokenizer.model_vocabulary, tables["scores"], strict=True))}


def _bpe(tokenizer, tables):
    return {"type": "BPE", "dropout": None, "unk_token": tokenizer.special["unk"], "fuse_unk": True,
            "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "byte_fallback": tokenizer.model.kind == "bytefallback", "ignore_merges": False,
            "vocab": {entry: i for i, entry in enumerate(tokenizer.model_vocabulary)},
            "merges": [merge.split(" ") for merge in tables["merges"]]}


WRITTEN = {"unigram": _unigram, "bpe": _bpe, "bytefallback": _bpe}


def _followed(folder, steps, prefix):
    """Return steps and prefix as transformers takes them; what the two files say otherwise is said."""
    config, kind = beside.read(folder, beside.CONFIG), beside.tokenizer_class(folder)
    has = {"do_lower_case": ["lowercase"] in steps, "keep_accents": ["accents"] not in steps,
           "add_prefix_space": prefix}
    odd = [key for key in has if isinstance(config.get(key), bool) and config[key] != has[key]]
    version = 4 if kind == "DebertaV2" else 5     # transformers 5 drops DeBERTa's character map, which bertkit keeps
    for key in odd:
        follows = key in FOLLOWED.get(kind, ())
        which = "former" if follows else "latter"
        beside.say_once(f"{folder / beside.CONFIG} says {key}={json.dumps(config[key])}, {folder / 'tokenizer.json'} "
                        f"has {json.dumps(has[key])}; the {which} is taken, as transformers {version} does.")
        has[key] = config[key] if follows else has[key]
    if {"do_lower_case", "keep_accents"} & {*odd} & {*FOLLOWED.get(kind, ())}:
        steps = FAMILIES[kind.lower()].steps(has)
    return steps, has["add_prefix_space"]


def _words(path, split):
    """Return the settings words and prefix of a pre_tokenizer."""
    parts = split["pretokenizers"] if split and split["type"] == "Sequence" else [split]
    if len(parts) == 2:
        require(path, "pre_tokenizer", parts[0], "WhitespaceSplit")
    require(path, "pre_tokenizer", parts[-1], "Metaspace")
    mark = parts[-1]
    # Older files have add_prefix_space.
    scheme = mark.get("prepend_scheme") or ("always" if mark["add_prefix_space"] else "never")
    if len(parts) > 2 or mark["replacement"] != SPACE or not mark.get("split", True) or scheme == "first":
        raise Error(f"{path}: its pre_tokenizer is not Metaspace with {SPACE} before all words or none; "
                    "bertkit does not read such a tokenizer.")
    return "blanks" if len(parts) == 2 else "spaces", scheme == "always"


def _require_whole(path, split, steps):
    """Raise Error unless a text reaches the model whole: it is split at spaces where the normalizer leaves none."""
    none_left = ["replace", " ", SPACE] in steps
    at_spaces = split and split["type"] == "Split" and split["pattern"] == {"String": " "}
    if split is not None and not (at_spaces and none_left):
        raise Error(f"{path}: its model has byte_fallback and its pre_tokenizer splits texts, wanted none, or a Split "
                    f"at spaces behind a normalizer that replaces them by {SPACE}; bertkit does not read such a "
                    "tokenizer.")


def _special(folder, content, vocabulary):
    """Return {role: token or None}; what no file names are usual special tokens, cls and sep those of the template."""
    template = json.dumps(content["post_processor"], ensure_ascii=False)
    added = [token["content"] for token in content["added_tokens"] if token["special"]]
    usual = {role: [token for token in tokens if token in added] for role, tokens in NAMES.items()}
    for role in ("cls", "sep"):
        usual[role] = [token for token in usual[role] if f'"{token}"' in template]
    names = beside.special(folder, {role: next(iter(tokens), None) for role, tokens in usual.items()})
    return without_missing(folder, names, {*vocabulary, *(token["content"] for token in content["added_tokens"])})
