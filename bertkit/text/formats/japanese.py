"""The files of BertJapaneseTokenizer: a vocab.txt, and tokenizer_config.json that says how words are found."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import write_json
from bertkit.text.formats import beside
from bertkit.text.formats.huggingface import added_tokens, with_padding_side
from bertkit.text.formats.wordpiece import DEFAULT
from bertkit.text.models.japanese import DICTIONARIES, SUBWORDS
from bertkit.text.template import bert

CLASS = "BertJapanese"
NAME = f"tokenizer_class {CLASS}Tokenizer"


def from_legacy(folder: Path, vocabulary: Sequence[str]) -> dict[str, Any]:
    """Read what lies beside the vocab.txt of a Japanese BERT.

    Args:
        folder: folder of the files.
        vocabulary: the entries in the order of their ids.

    Returns:
        The settings of a `Tokenizer`.

    Raises:
        Error: when it finds words or pieces in a way that bertkit does not have.
    """
    config, names = beside.read(folder, beside.CONFIG), beside.special(folder, DEFAULT)
    words = config.get("word_tokenizer_type", "basic") if config.get("do_word_tokenize", True) else ""
    pieces = config.get("subword_tokenizer_type", "wordpiece") if config.get("do_subword_tokenize", True) else "whole"
    refused = f"{folder}: {NAME} has word_tokenizer_type={words!r:.40}, subword_tokenizer_type={pieces!r:.40}"
    around = {"special": names, "added": beside.added(folder, vocabulary, names),
              "template": with_padding_side(folder, bert(names["cls"], names["sep"]), names).settings()}
    lower = config.get("do_lower_case", False)
    if words == "basic" and pieces == "wordpiece":        # BERT's own words in its original code, which knows NFC
        return {"rules": "google", "longest_word": 100, "split_ideographs": False, "normalization": [["nfc"]],
                "lowercase": lower, "strip_accents": lower, **around}
    if words not in ("mecab", "") or pieces not in SUBWORDS:
        raise Error(f"{refused}; bertkit reads mecab with wordpiece or character, and basic with wordpiece.")
    return {"kind": "japanese", "subwords": pieces, "lowercase": lower and words != "",
            **_mecab(refused, config.get("mecab_kwargs") or {}, words), **around}


def write(folder: Path, tokenizer: Any) -> None:
    """Write vocab.txt and tokenizer_config.json.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer` whose model is `Japanese`.
    """
    settings, words = tokenizer.model.settings(), tokenizer.model.settings()["dictionary"]
    tokenizer.save(folder)
    flags = {str(token.pop("id")): token for token in added_tokens(tokenizer)}
    pieces = settings["subwords"]
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": f"{CLASS}Tokenizer", "do_lower_case": settings["lowercase"],
        "do_word_tokenize": bool(words), "word_tokenizer_type": "mecab", "do_subword_tokenize": pieces != "whole",
        "subword_tokenizer_type": "wordpiece" if pieces == "whole" else pieces,
        "mecab_kwargs": {"mecab_dic": words or None, "normalize_text": bool(settings["normalization"])},
        "padding_side": tokenizer.template.padding_side, "added_tokens_decoder": flags,
        **{f"{role}_token": token for role, token in tokenizer.special.items()}})


def _mecab(refused, given, words):
    """Return the settings `dictionary` and `normalization` for mecab_kwargs."""
    if not words:
        return {"dictionary": "", "normalization": []}
    dictionary, normal = given.get("mecab_dic", "unidic_lite"), given.get("normalize_text", True)
    others = {name: value for name, value in given.items() if name not in ("mecab_dic", "normalize_text")
              and value not in (None, "", [])}
    if others or dictionary not in DICTIONARIES:
        odd = others or {"mecab_dic": dictionary}
        raise Error(f"{refused} and mecab_kwargs with {odd}; bertkit knows mecab_dic, one of "
                    f"{', '.join(DICTIONARIES)}, and normalize_text.")
    return {"dictionary": dictionary, "normalization": [["nfkc"]] if normal else []}
