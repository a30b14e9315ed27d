"""WordPiece in the files of Hugging Face: tokenizer.json, or tokenizer_config.json and vocab.txt."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import write_json
from bertkit.text.added import Added
from bertkit.text.formats import beside, normalizers
from bertkit.text.formats.huggingface import (
    added_tokens,
    entries_by_id,
    require,
    surroundings,
    with_padding_side,
    write_tokenizer_json,
)
from bertkit.text.models.wordpiece import FLAGS
from bertkit.text.template import bert, roberta

DEFAULT = {role: f"[{role.upper()}]" for role in ("unk", "cls", "sep", "pad", "mask")}
# MPNet has BERT's words, RoBERTa's special tokens and template, and the unknown tokens of both; BERT's is used.
MPNET = {"unk": "[UNK]", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>", "bos": "<s>", "eos": "</s>"}
# The classes for which transformers 5 takes these keys of tokenizer_config.json, whatever tokenizer.json says.
FOLLOWED = ("Bert", "DistilBert", "Electra", "MobileBert", "MPNet")
KEYS = {"do_lower_case": "lowercase", "strip_accents": "accents", "tokenize_chinese_chars": "ideographs"}
# Classes that part words in another way before WordPiece.
PARTED = ("BertJapanese", "RoFormer", "Bertweet", "Phobert", "Flaubert", "XLM", "Cpm", "DistilBertJapanese")


def from_tokenizer_json(folder: Path, content: dict[str, Any]) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Read a tokenizer.json, the file of the library `tokenizers`, whose model is WordPiece.

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
        model, (steps, charsmap) = content["model"], normalizers.steps(path, content["normalizer"])
        if charsmap:
            raise Error(f"{path}: its normalizer is Precompiled, wanted BertNormalizer; bertkit does not read such "
                        "a tokenizer.")
        require(path, "pre_tokenizer", content["pre_tokenizer"], "BertPreTokenizer")
        vocabulary = entries_by_id(path, model["vocab"])
        names = beside.special(folder, _names(beside.tokenizer_class(folder))) | {"unk": model["unk_token"]}
        return vocabulary, {"prefix": model["continuing_subword_prefix"],
                            "longest_word": model["max_input_chars_per_word"],
                            **_normalization(_followed(folder, steps)),
                            **surroundings(folder, content, vocabulary, names)}


def from_legacy(folder: Path, vocabulary: Sequence[str], uncased: bool) -> dict[str, Any]:
    """Read what lies beside a vocab.txt: tokenizer_config.json, special_tokens_map.json, added_tokens.json.

    Args:
        folder: folder of the file.
        vocabulary: the entries in the order of their ids.
        uncased: whether the tokenizer is uncased where the file does not say it.

    Returns:
        The settings of a `Tokenizer`.

    Raises:
        Error: when a file is not whole, or its tokenizer_class parts words in another way than BERT.
    """
    config, kind = beside.read(folder, beside.CONFIG), beside.tokenizer_class(folder)
    if kind in PARTED:
        raise Error(f"{folder}: its tokenizer_class is {kind}Tokenizer, which parts words in another way than BERT; "
                    "bertkit does not read such a tokenizer.")
    lower, names = config.get("do_lower_case", uncased), beside.special(folder, _names(kind))
    strip = config.get("strip_accents")                       # null means the same as do_lower_case
    with beside.complete_json(folder / beside.CONFIG):
        ideographs = config.get("tokenize_chinese_chars", True)
        step = normalizers.bert(True, ideographs, lower if strip is None else strip, lower)
    added, order = beside.added(folder, vocabulary, names), roberta if kind == "MPNet" else bert
    if kind == "MPNet" and names["mask"] not in [None, *(Added.of(token).content for token in added)]:
        added = [*added, Added(names["mask"], lstrip=True).settings()]
    return {"special": names, "added": added, **_normalization([step]),
            "template": with_padding_side(folder, order(names["cls"], names["sep"]), names).settings()}


def of_vocabulary(vocabulary: Sequence[str]) -> dict[str, Any]:
    """Return the settings that the special tokens of a vocabulary tell where no file does: MPNet's, or BERT's.

    Args:
        vocabulary: the entries in the order of their ids.

    Returns:
        The settings special, added and template of a `Tokenizer`, empty for BERT's.

    Example:
        >>> of_vocabulary(["<s>", "<pad>", "</s>", "<unk>", "a", "[UNK]", "<mask>"])["special"]["cls"]
        '<s>'
    """
    words = set(vocabulary)
    if not set(MPNET.values()) <= words or DEFAULT["cls"] in words:
        return {}
    return {"special": MPNET, "added": [Added(MPNET["mask"], lstrip=True).settings()],
            "template": roberta(MPNET["cls"], MPNET["sep"]).settings()}


def write(folder: Path, tokenizer: Any) -> None:
    """Write vocab.txt and tokenizer_config.json, or tokenizer.json where these two cannot say everything.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer` whose model is `WordPiece`.
    """
    settings = tokenizer.model.settings()
    usual = {"prefix": "##", "normalization": [], "clean": True} | (
        {"longest_word": 100} if settings["rules"] == "huggingface" else {})
    if any(settings[name] != value for name, value in usual.items()):
        write_whole(folder, tokenizer)
        return
    tokenizer.save(folder)
    decoder = {str(token.pop("id")): token for token in added_tokens(tokenizer)}
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": _class(tokenizer), **flags(tokenizer),
        "padding_side": tokenizer.template.padding_side, "added_tokens_decoder": decoder,
        **{f"{role}_token": token for role, token in tokenizer.special.items()}})


def flags(tokenizer: Any) -> dict[str, bool]:
    """Return what tokenizer_config.json says of the normalisation; transformers reads it before tokenizer.json.

    Args:
        tokenizer: a `Tokenizer` whose model is `WordPiece`.

    Returns:
        {key: value}.
    """
    settings = tokenizer.model.settings()
    return {key: settings[{"accents": "strip_accents", "ideographs": "split_ideographs"}.get(flag, flag)]
            for key, flag in KEYS.items()}


def write_whole(folder: Path, tokenizer: Any) -> None:
    """Write tokenizer.json, which says everything, and a tokenizer_config.json beside it.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer` whose model is `WordPiece`.
    """
    settings = tokenizer.model.settings()
    vocabulary = {entry: i for i, entry in enumerate(tokenizer.model_vocabulary)}
    model = {"type": "WordPiece", "unk_token": tokenizer.special["unk"], "vocab": vocabulary,
             "continuing_subword_prefix": settings["prefix"], "max_input_chars_per_word": settings["longest_word"]}
    write_tokenizer_json(folder, tokenizer, normalizer=normalizers.normalizer(tokenizer.model.steps()),
                         pre_tokenizer={"type": "BertPreTokenizer"}, model=model,
                         decoder={"type": "WordPiece", "prefix": settings["prefix"], "cleanup": True})


def _names(kind):
    """Return {role: token} of a class of transformers."""
    return MPNET if kind == "MPNet" else DEFAULT


def _class(tokenizer):
    """Return the class of transformers that puts special tokens where a tokenizer does."""
    special, template = tokenizer.special, tokenizer.template
    mpnet = {"cls", "sep"} <= set(special) and template.pair == roberta(special["cls"], special["sep"]).pair
    return "MPNetTokenizer" if mpnet else "BertTokenizer"


def _followed(folder, steps):
    """Return the steps, or what tokenizer_config.json says in their place where it says otherwise; both are said."""
    config, kind = beside.read(folder, beside.CONFIG), beside.tokenizer_class(folder)
    has = [name for step in steps for name in (step[1].split() if step[0] == "bert" else step)]
    lower = config.get("do_lower_case", "lowercase" in has)
    wanted = {key: flag in has for key, flag in KEYS.items()}
    said = {key: lower if key == "strip_accents" and config[key] is None else config[key]
            for key in KEYS if key in config}
    if all(said[key] == wanted[key] for key in said):
        return steps
    follows = kind in FOLLOWED
    odd = next(key for key in said if said[key] != wanted[key])
    beside.say_once(f"{folder / beside.CONFIG} says {odd}={json.dumps(config[odd])}, {folder / 'tokenizer.json'} has a "
                    f"normalizer with {odd}={json.dumps(wanted[odd])}; the {'former' if follows else 'latter'} is "
                    "taken, as transformers does.")
    wanted |= said
    step = normalizers.bert(True, wanted["tokenize_chinese_chars"], wanted["strip_accents"], wanted["do_lower_case"])
    return [step] if follows else steps


def _normalization(steps):
    """Return the settings of `WordPiece` for the steps of its normalizer, of which BERT's own may be the last."""
    before, flags = (steps[:-1], steps[-1][1].split()) if steps and steps[-1][0] == "bert" else (steps, ())
    return {"normalization": before, **{name: flag in flags for name, flag in FLAGS.items()}}
