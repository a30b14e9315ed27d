"""WordPiece in the files of Hugging Face: tokenizer.json, or tokenizer_config.json and vocab.txt."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.files.atomic import read_json, write_json
from bertkit.text.added import Added
from bertkit.text.formats.huggingface import (
    ROLES,
    added_by_id,
    added_tokens,
    complete_json,
    entries_by_id,
    require,
    special,
    surroundings,
    with_padding_side,
)
from bertkit.text.template import bert, roberta

DEFAULT = {role: f"[{role.upper()}]" for role in ROLES}
# MPNet has BERT's words, RoBERTa's special tokens and template, and the unknown tokens of both; BERT's is used.
MPNET = {"unk": "[UNK]", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}


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
    with complete_json(path):
        model, normalizer = content["model"], content["normalizer"]
        require(path, "normalizer", normalizer, "BertNormalizer", None)
        require(path, "pre_tokenizer", content["pre_tokenizer"], "BertPreTokenizer")
        vocabulary = entries_by_id(path, model["vocab"])
        names = special(folder, DEFAULT) | {"unk": model["unk_token"]}
        return vocabulary, {"prefix": model["continuing_subword_prefix"],
                            "longest_word": model["max_input_chars_per_word"], **_normalization(normalizer),
                            **surroundings(folder, content, vocabulary, names)}


def from_legacy(folder: Path, vocabulary: Sequence[str], uncased: bool) -> dict[str, Any]:
    """Read a tokenizer_config.json beside a vocab.txt.

    Args:
        folder: folder of the file.
        vocabulary: the entries in the order of their ids.
        uncased: whether the tokenizer is uncased where the file does not say it.

    Returns:
        The settings of a `Tokenizer`.
    """
    config = read_json(folder / "tokenizer_config.json")
    of_mpnet = str(config.get("tokenizer_class")).startswith("MPNet")
    lower, names = config.get("do_lower_case", uncased), special(folder, MPNET if of_mpnet else DEFAULT)
    order = roberta(names["cls"], names["sep"]) if of_mpnet else bert(names["cls"], names["sep"])
    steps = {"lowercase": lower, "strip_accents": config.get("strip_accents"),
             "handle_chinese_chars": config.get("tokenize_chinese_chars", True)}
    return {"special": names, "added": added_by_id(folder, vocabulary), **_normalization(steps),
            "template": with_padding_side(folder, order, names).settings()}


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
    """Write vocab.txt and tokenizer_config.json.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer` whose model is `WordPiece`.
    """
    settings = tokenizer.save(folder)
    flags = {str(token.pop("id")): token | {"normalized": False} for token in added_tokens(tokenizer)}
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": _class(tokenizer), "do_lower_case": settings["lowercase"],
        "strip_accents": settings["strip_accents"], "tokenize_chinese_chars": settings["split_ideographs"],
        "padding_side": tokenizer.template.padding_side, "added_tokens_decoder": flags,
        **{f"{role}_token": token for role, token in tokenizer.special.items()}})


def _class(tokenizer):
    """Return the class of transformers that puts special tokens where a tokenizer does."""
    special, template = tokenizer.special, tokenizer.template
    mpnet = {"cls", "sep"} <= set(special) and template.pair == roberta(special["cls"], special["sep"]).pair
    return "MPNetTokenizer" if mpnet else "BertTokenizer"


def _normalization(steps):
    """Return the settings of a BertNormalizer; strip_accents null means the same as lowercase."""
    if steps is None:
        return {"lowercase": False, "strip_accents": False, "clean": False,
                "split_ideographs": False}
    strip = steps.get("strip_accents")
    return {"lowercase": steps["lowercase"], "clean": steps.get("clean_text", True),
            "strip_accents": steps["lowercase"] if strip is None else strip,
            "split_ideographs": steps.get("handle_chinese_chars", True)}
