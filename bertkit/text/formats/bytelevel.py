"""Byte-level BPE in the files of Hugging Face: tokenizer.json, or vocab.json and merges.txt."""

import json
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import read_json, read_text
from bertkit.text.added import Added
from bertkit.text.formats import beside, normalizers
from bertkit.text.formats.huggingface import (
    entries_by_id,
    surroundings,
    with_padding_side,
    write_tokenizer_json,
)
from bertkit.text.models.bytelevel import missing_bytes
from bertkit.text.template import bare, roberta

# bertkit reads these values alone, because any other value changes the ids.
USUAL = {"dropout": 0, "continuing_subword_prefix": "", "end_of_word_suffix": "", "byte_fallback": False}
# How LLaMA 3 cuts a text into words; the pieces of its pre_tokenizer before that of bytes.
LLAMA = {"type": "Split", "behavior": "Isolated", "invert": False, "pattern": {"Regex": (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|"
    r"\s+(?!\S)|\s+")}}
NAMES = {"unk": ("<unk>", "[UNK]"), "cls": ("<s>", "[CLS]"), "sep": ("</s>", "[SEP]"), "pad": ("<pad>", "[PAD]"),
         "mask": ("<mask>", "[MASK]"), "bos": ("<s>",), "eos": ("</s>",)}


def from_tokenizer_json(folder: Path, content: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Read a tokenizer.json, the file of the library `tokenizers`, whose model is byte-level BPE.

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
        model, split = content["model"], content["pre_tokenizer"]
        steps, charsmap = normalizers.steps(path, content["normalizer"])
        if charsmap:
            raise Error(f"{path}: its normalizer is Precompiled, wanted NFC; bertkit does not read such a tokenizer.")
        words, split = _words(path, split)
        _say_untrimmed(path, content["post_processor"])
        _require_usual(path, model)
        vocabulary = entries_by_id(path, model["vocab"])
        known = {*vocabulary, *(token["content"] for token in content["added_tokens"])}
        names = beside.special(folder, _names(known))
        return vocabulary, {"kind": "bytelevel", "prefix_space": _prefix_space(folder, split["add_prefix_space"]),
                            "words": words, "whole_words": bool(model.get("ignore_merges")),
                            "normalization": steps, "merges": list(map(_merge, model["merges"])),
                            **_unknown_bytes(path, vocabulary, None if _is_rebuilt(folder) else model.get("unk_token")),
                            **surroundings(folder, content, vocabulary, _with_unknown(names, model))}


def from_legacy(folder: Path) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Read a vocab.json and a merges.txt, the files of RoBERTa.

    Args:
        folder: folder of the files.

    Returns:
        The vocabulary and the settings of a `Tokenizer`.

    Raises:
        Error: when a file is missing or damaged.
    """
    path = folder / "vocab.json"
    with beside.complete_json(path):
        vocabulary = entries_by_id(path, read_json(path))
    lines = read_text(folder / "merges.txt").split("\n")
    merges = [line.removesuffix("\r") for line in lines if line.strip() and not line.startswith("#version")]
    names = beside.special(folder, _names(vocabulary))
    template = roberta(names["cls"], names["sep"]) if names["cls"] and names["sep"] else bare()
    added = beside.added(folder, vocabulary, names)
    if names["mask"] and not any(Added.of(token).content == names["mask"] for token in added):
        added = [*added, Added(names["mask"], lstrip=True).settings()]
    return vocabulary, {"kind": "bytelevel", "merges": merges, "special": names, "added": added,
                        "prefix_space": beside.read(folder, beside.CONFIG).get("add_prefix_space", False),
                        **_unknown_bytes(path, vocabulary, None),
                        "template": with_padding_side(folder, template, names).settings()}


def write(folder: Path, tokenizer: Any) -> None:
    """Write tokenizer.json and tokenizer_config.json.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer` whose model is `ByteLevel`.
    """
    model = tokenizer.model
    llama = model.words == "llama3"
    split = {"type": "ByteLevel", "add_prefix_space": model.prefix_space, "trim_offsets": True, "use_regex": not llama}
    words = {"type": "Sequence", "pretokenizers": [LLAMA, split]} if llama else split
    vocabulary = {token: i for i, token in enumerate(tokenizer.model_vocabulary)}
    pairs = [merge.split(" ") for merge in model.merges.merges]
    unknown = tokenizer.special.get("unk") if model.settings()["unknown_bytes"] else None
    merges = {"type": "BPE", "dropout": None, "unk_token": unknown, "fuse_unk": False,
              "continuing_subword_prefix": None, "end_of_word_suffix": None, "byte_fallback": False,
              "ignore_merges": model.whole_words, "vocab": vocabulary, "merges": pairs}
    write_tokenizer_json(folder, tokenizer, [split], normalizer=normalizers.normalizer(model.normalization),
                         pre_tokenizer=words, decoder=split, model=merges)


def _require_usual(path, model):
    """Raise Error for a setting under which the ids would be others."""
    for name, usual in USUAL.items():
        if (model.get(name) or usual) != usual:
            raise Error(f"{path}: its model has {name}={model[name]!r}, wanted {usual!r}; "
                        "bertkit does not read such a tokenizer.")


def _words(path, split):
    """Return by which rules words are cut, and the part of the pre_tokenizer that makes bytes of them."""
    parts = split["pretokenizers"] if split["type"] == "Sequence" else [split]
    llama = len(parts) == 2 and parts[0] == LLAMA
    if len(parts) != 1 + llama or parts[-1]["type"] != "ByteLevel":
        raise Error(f"{path}: its pre_tokenizer is {json.dumps(split)[:200]}, wanted ByteLevel, alone or after the "
                    "Split of LLaMA 3; bertkit does not read such a tokenizer.")
    if parts[-1].get("use_regex", True) == llama:
        raise Error(f"{path}: its pre_tokenizer has use_regex={json.dumps(llama)}, wanted the pattern of "
                    f"{'LLaMA 3 alone' if llama else 'GPT-2'}; bertkit does not read such a tokenizer.")
    return "llama3" if llama else "gpt2", parts[-1]


def _say_untrimmed(path, processor):
    """Say that offsets leave out spaces where the file has trim_offsets=false; the ids are the same."""
    parts = (processor or {}).get("processors", [processor or {}])
    if any(part.get("trim_offsets") is False for part in parts):
        beside.say_once(f"{path} has trim_offsets=false; the offsets that bertkit gives leave out the spaces at the "
                        "ends of a piece all the same. The ids are those of the file.")


def _is_rebuilt(folder):
    """Return whether transformers 5 makes the tokenizer anew, of the vocabulary and the merges of tokenizer.json."""
    return beside.tokenizer_class(folder) in ("Roberta", "Longformer", "Bart", "LED")


def _prefix_space(folder, has):
    """Return add_prefix_space as transformers takes it, and say it where tokenizer_config.json says otherwise."""
    said = beside.read(folder, beside.CONFIG).get("add_prefix_space", has)
    if said == has:
        return has
    follows = _is_rebuilt(folder)
    beside.say_once(f"{folder / beside.CONFIG} says add_prefix_space={json.dumps(said)}, "
                    f"{folder / 'tokenizer.json'} says {json.dumps(has)}; the {'former' if follows else 'latter'} is "
                    "taken, as transformers 5 does.")
    return said if follows else has


def _unknown_bytes(path, vocabulary, unknown):
    """Return the setting for bytes that a vocabulary lacks, and say which these are."""
    if missing := missing_bytes(vocabulary):
        fate = f"become {unknown}" if unknown else "are dropped"
        beside.say_once(f"{path}: the vocabulary lacks {len(missing)} of the bytes of UTF-8, the first "
                        f"{missing[0]:#04x}; in a text they {fate}, as in the library tokenizers.")
    return {"unknown_bytes": bool(missing and unknown)}


def _with_unknown(names, model):
    return names | {"unk": model.get("unk_token") or names["unk"]}


def _names(known):
    """Return {role: the token that usually has it, or None}."""
    return {role: next((token for token in tokens if token in known), None) for role, tokens in NAMES.items()}


def _merge(merge):
    """Return a merge as it stands in merges.txt; newer files have pairs."""
    return merge if isinstance(merge, str) else " ".join(merge)
