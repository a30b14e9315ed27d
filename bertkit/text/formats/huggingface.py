"""The tokenizer files of Hugging Face: what they say for every kind of model, and how they are written."""

import importlib
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json
from bertkit.text.added import Added
from bertkit.text.formats import beside
from bertkit.text.template import FIRST, SECOND, Template, bare, bert, roberta, xlnet

TEXTS = {"A": FIRST, "B": SECOND}
PROCESSORS = {"BertProcessing": bert, "RobertaProcessing": roberta}
FILES = {"wordpiece": "wordpiece", "bytelevel": "bytelevel", "unigram": "sentencepiece", "bpe": "sentencepiece",
         "bytefallback": "sentencepiece", "japanese": "japanese"}


def write(folder: Path, tokenizer: Any) -> None:
    """Write the files with which transformers tokenizes as a tokenizer does.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer`.
    """
    # Imported inside the function because each of these modules imports this one.
    importlib.import_module(f"bertkit.text.formats.{FILES[tokenizer.model.kind]}").write(folder, tokenizer)


def write_tokenizer_json(folder: Path, tokenizer: Any, post_processors: Sequence[dict[str, Any]] = (),
                         **steps: Any) -> None:
    """Write tokenizer.json and tokenizer_config.json.

    Args:
        folder: folder that exists.
        tokenizer: a `Tokenizer`.
        post_processors: post-processors that come before the one of the template.
        **steps: `normalizer`, `pre_tokenizer`, `decoder` and `model` as the library `tokenizers` has them.
    """
    processors = [*post_processors, _processor(tokenizer)]
    content = {"version": "1.0", "truncation": None, "padding": None, "added_tokens": added_tokens(tokenizer),
               "post_processor": {"type": "Sequence", "processors": processors} if post_processors else processors[0],
               **steps}
    write_json(folder / "tokenizer.json", content)
    segments = {segment for _, segment in tokenizer.template.pair}
    inputs = ["input_ids", *["token_type_ids"][:len(segments) - 1], "attention_mask"]
    write_json(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "padding_side": tokenizer.template.padding_side,
        "model_input_names": inputs, "clean_up_tokenization_spaces": False,
        **{f"{role}_token": token for role, token in tokenizer.special.items()}})


def added_tokens(tokenizer: Any) -> list[dict[str, Any]]:
    """Return the added tokens of a tokenizer.json: the special tokens and those of the setting `added`.

    Args:
        tokenizer: a `Tokenizer`.

    Returns:
        A list of JSON objects, in the order of their ids.
    """
    tokens = {token: Added(token) for token in tokenizer.special.values()}
    tokens |= {token.content: token for token in tokenizer.added}
    known = set(tokenizer.vocabulary)
    entries = [{"id": tokenizer.id(token.content), **asdict(token)} for token in tokens.values()
               if token.content in known]
    return sorted(entries, key=lambda token: token["id"])


def surroundings(folder: Path, content: dict[str, Any], vocabulary: Sequence[str],
                 special: dict[str, Any]) -> dict[str, Any]:
    """Return the settings special, added and template of a tokenizer.json.

    Truncation and padding in the file are not read, because they are arguments of `pack`.

    Args:
        folder: folder of the file.
        content: the parsed JSON of the file.
        vocabulary: the entries in the order of their ids.
        special: dict {role: token or None}.

    Returns:
        A dict {"special", "added", "template"}.

    Raises:
        Error: when an added token or the post-processor is one that bertkit does not read.
    """
    path, processor = folder / "tokenizer.json", content["post_processor"]
    tokens = beside.added(folder, vocabulary, special, path, content["added_tokens"])
    ids = {token: i for i, token in enumerate(vocabulary)}
    ids |= {token["content"]: token["id"] for token in content["added_tokens"]}
    return {"special": special, "added": tokens,
            "template": with_padding_side(folder, template(path, processor, special, ids), special).settings()}


def template(path: Path, processor: dict[str, Any] | None, special: dict[str, Any],
             ids: dict[str, int]) -> Template:
    """Return the template of a post-processor.

    Args:
        path: the file, for messages.
        processor: JSON object of the post-processor. None takes BERT's template, or the text alone if cls or sep is
            None.
        special: dict {role: token or None}.
        ids: dict {token: id}.

    Returns:
        A `Template`.

    Raises:
        Error: when the processor is of a type that bertkit does not read, or gives a token another id than `ids` do.
    """
    if processor is None:
        return bert(special["cls"], special["sep"]) if special["cls"] and special["sep"] else bare()
    if processor["type"] == "Sequence":                   # ByteLevel parts only trim the offsets
        (processor,) = (part for part in processor["processors"] if part["type"] != "ByteLevel")
    require(path, "post_processor", processor, "TemplateProcessing", *PROCESSORS)
    for token, numbers in _named(processor):
        if numbers != [ids.get(token)]:
            raise Error(f"{path}: its post_processor has {numbers} for {token!r}, wanted [{ids.get(token)}]; "
                        "copy the file again.")
    if processor["type"] in PROCESSORS:
        return PROCESSORS[processor["type"]](processor["cls"][0], processor["sep"][0])
    single, pair = (tuple(map(_part, processor[form])) for form in ("single", "pair"))
    return Template(single, pair)


def with_padding_side(folder: Path, template: Template, special: dict[str, Any]) -> Template:
    """Return a template with the padding side of tokenizer_config.json; XLNet's template gets XLNet's padding.

    Args:
        folder: folder of the file.
        template: the template.
        special: dict {role: token or None}.

    Returns:
        A `Template`.
    """
    names = special["cls"], special["sep"]
    if all(names) and template.single == xlnet(*names).single:
        template = xlnet(*names)
    path = folder / "tokenizer_config.json"
    side = read_json(path).get("padding_side") if path.exists() else None
    return Template(**template.settings() | ({"padding_side": side} if side else {}))


def entries_by_id(path: Path, ids: dict[str, int]) -> tuple[str, ...]:
    """Return the entries of a vocabulary in the order of their ids.

    Args:
        path: the file, for messages.
        ids: dict {entry: id}.

    Returns:
        A tuple of str.

    Raises:
        Error: when an id is missing or occurs twice.
    """
    vocabulary = sorted(ids, key=ids.__getitem__)
    for wanted, token in enumerate(vocabulary):
        if ids[token] != wanted:
            raise Error(f"{path}: the vocabulary has the id {ids[token]} ({token!r}) where "
                        f"{wanted} was wanted; ids must be 0, 1, 2 ... without gaps.")
    return tuple(vocabulary)


def require(path: Path, part: str, value: dict[str, Any] | None, *types: str | None) -> None:
    """Check that a part of a tokenizer.json is of a type that bertkit reads.

    Args:
        path: the file, for messages.
        part: name of the part, for messages.
        value: JSON object of the part, or None.
        *types: the types that can be read; None stands for no part.

    Raises:
        Error: when the part is of another type.
    """
    name = value.get("type", "nothing") if value is not None else None
    if name not in types:
        raise Error(f"{path}: its {part} is {name}, wanted {types[0]}; "
                    "bertkit does not read such a tokenizer.")


def _named(processor):
    """Return (token, ids) of the tokens that a post_processor names."""
    if processor["type"] in PROCESSORS:
        return [(token, [number]) for token, number in (processor["cls"], processor["sep"])]
    return [(token, entry["ids"]) for token, entry in processor.get("special_tokens", {}).items()]


def _part(part):
    ((kind, value),) = part.items()
    return (TEXTS[value["id"]] if kind == "Sequence" else value["id"]), value["type_id"]


def _processor(tokenizer):
    """Return the post_processor of a template."""
    names = {FIRST: "A", SECOND: "B"}

    def part(token, segment):
        kind = "Sequence" if token in names else "SpecialToken"
        return {kind: {"id": names.get(token, token), "type_id": segment}}

    forms = {form: [part(*pair) for pair in getattr(tokenizer.template, form)] for form in ("single", "pair")}
    tokens = {token for token, _ in tokenizer.template.pair if token not in names}
    return {"type": "TemplateProcessing", **forms, "special_tokens": {
        token: {"id": token, "ids": [tokenizer.id(token)], "tokens": [token]} for token in sorted(tokens)}}
