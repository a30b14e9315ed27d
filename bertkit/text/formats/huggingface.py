"""The tokenizer files of Hugging Face: what they say for every kind of model, and how they are written."""

import contextlib
import importlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json
from bertkit.text.added import Added
from bertkit.text.template import FIRST, SECOND, Template, bare, bert, roberta, xlnet

ROLES = ("unk", "cls", "sep", "pad", "mask")
TEXTS = {"A": FIRST, "B": SECOND}
PROCESSORS = {"BertProcessing": bert, "RobertaProcessing": roberta}
FILES = {"wordpiece": "wordpiece", "bytelevel": "bytelevel", "unigram": "sentencepiece", "bpe": "sentencepiece",
         "bytefallback": "sentencepiece"}


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
    entries = [{"id": tokenizer.id(token.content), "content": token.content, "single_word": False, "rstrip": False,
              "lstrip": token.lstrip, "normalized": not token.special, "special": token.special}
             for token in tokens.values() if token.content in tokenizer.vocabulary]
    return sorted(entries, key=lambda token: token["id"])


def surroundings(folder: Path, content: dict[str, Any], vocabulary: Sequence[str], special: dict[str, Any],
                 unchanged: Callable[[str], bool] = lambda token: False) -> dict[str, Any]:
    """Return the settings special, added and template of a tokenizer.json.

    Truncation and padding in the file are not read, because they are arguments of `pack`.

    Args:
        folder: folder of the file.
        content: the parsed JSON of the file.
        vocabulary: the entries in the order of their ids.
        special: dict {role: token or None}.
        unchanged: function that says whether the normalizer of the file leaves a token as it is.

    Returns:
        A dict {"special", "added", "template"}.

    Raises:
        Error: when an added token or the post-processor is one that bertkit does not read.
    """
    path, processor = folder / "tokenizer.json", content["post_processor"]
    tokens = added(path, content["added_tokens"], vocabulary, unchanged)
    ids = {token: i for i, token in enumerate(vocabulary)}
    ids |= {token["content"]: token["id"] for token in content["added_tokens"]}
    return {"special": special, "added": tokens,
            "template": with_padding_side(folder, template(path, processor, special, ids), special).settings()}


def special(folder: Path, default: dict[str, Any]) -> dict[str, Any]:
    """Return the special tokens that special_tokens_map.json and tokenizer_config.json name.

    Args:
        folder: folder of the files.
        default: dict {role: token or None} for the roles that no file names.

    Returns:
        A dict {role: token or None} of the roles "unk", "cls", "sep", "pad" and "mask".
    """
    names = {role: default.get(role) for role in ROLES}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        content = read_json(folder / file) if (folder / file).exists() else {}
        for role in ROLES:
            token = content.get(f"{role}_token")
            token = token.get("content") if isinstance(token, dict) else token
            names[role] = token if isinstance(token, str) else names[role]
    return names


def added(path: Path, tokens: Iterable[dict[str, Any]], vocabulary: Sequence[str],
          unchanged: Callable[[str], bool] = lambda token: False) -> list[Any]:
    """Return the setting `added` for the added tokens of a file, in the order of their ids.

    A token is found in a text as it stands, so the normalizer must not change one that is marked as normalized.

    Args:
        path: the file, for messages.
        tokens: JSON objects with "id", "content" and "special".
        vocabulary: the entries in the order of their ids.
        unchanged: function that says whether the normalizer of the file leaves a token as it is.

    Returns:
        A list of JSON values that `Added.of` reads.

    Raises:
        Error: when a token is found in another way than as it stands, or its id does not follow the vocabulary.
    """
    known, settings = {token: i for i, token in enumerate(vocabulary)}, []
    for token in sorted(tokens, key=lambda token: token["id"]):
        content, normalized = token["content"], token.get("normalized", not token["special"])
        wanted = known.setdefault(content, len(known))
        if token.get("single_word") or token.get("rstrip") or normalized and not unchanged(content):
            raise Error(f"{path}: the added token {content!r} is not found as it stands, but as a single word, "
                        "normalized or with the blanks behind it; bertkit cannot find such tokens in a text.")
        if token["id"] != wanted:
            raise Error(f"{path}: the added token {content!r} has the id {token['id']}, "
                        f"wanted {wanted}; copy the file again.")
        settings.append(Added(content, token["special"], token.get("lstrip", False)).settings())
    return settings


def added_by_id(folder: Path, vocabulary: Sequence[str],
                unchanged: Callable[[str], bool] = lambda token: False) -> list[Any]:
    """Return the setting `added` for the added_tokens_decoder of a tokenizer_config.json.

    Args:
        folder: folder of the file.
        vocabulary: the entries in the order of their ids.
        unchanged: function that says whether the normalizer of the file leaves a token as it is.

    Returns:
        A list of JSON values that `Added.of` reads, empty without the file or the entry.

    Raises:
        Error: when the file is not whole, or `added` refuses a token.
    """
    path = folder / "tokenizer_config.json"
    with complete_json(path):
        tokens = read_json(path).get("added_tokens_decoder", {}) if path.exists() else {}
        return added(path, [{"id": int(i), **token} for i, token in tokens.items()], vocabulary, unchanged)


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
