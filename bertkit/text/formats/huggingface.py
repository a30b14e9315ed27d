"""The tokenizer files of Hugging Face: what they say about every kind of model, and writing them."""

import contextlib
import importlib

from bertkit.errors import Error
from bertkit.files.atomic import read_json, write_json
from bertkit.text.added import Added
from bertkit.text.template import FIRST, SECOND, Template, bare, bert, roberta, xlnet

ROLES = ("unk", "cls", "sep", "pad", "mask")
TEXTS = {"A": FIRST, "B": SECOND}
PROCESSORS = {"BertProcessing": bert, "RobertaProcessing": roberta}
FILES = {"wordpiece": "wordpiece", "bytelevel": "bytelevel", "unigram": "sentencepiece", "bpe": "sentencepiece"}


def write(folder, tokenizer):
    """Write the files with which transformers tokenizes as `tokenizer` does."""
    # Imported here because each of these modules imports this one.
    importlib.import_module(f"bertkit.text.formats.{FILES[tokenizer.model.kind]}").write(folder, tokenizer)


def write_tokenizer_json(folder, tokenizer, post_processors=(), **steps):
    """Write tokenizer.json and tokenizer_config.json.

    `steps` are normalizer, pre_tokenizer, decoder and model as the library `tokenizers` has them; `post_processors`
    come before the one of the template.
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


def added_tokens(tokenizer):
    """Return the added tokens of a tokenizer.json: the special tokens and those of the setting `added`."""
    tokens = {token: Added(token) for token in tokenizer.special.values()}
    tokens |= {token.content: token for token in tokenizer.added}
    found = [{"id": tokenizer.id(token.content), "content": token.content, "single_word": False, "rstrip": False,
              "lstrip": token.lstrip, "normalized": not token.special, "special": token.special}
             for token in tokens.values() if token.content in tokenizer.vocabulary]
    return sorted(found, key=lambda token: token["id"])


def surroundings(folder, content, vocabulary, special, unchanged=lambda token: False):
    """Return the settings special, added and template of a tokenizer.json.

    `special` are the names {role: token or None}, and `unchanged` tells whether the normalizer of the file leaves a
    token as it is. Truncation and padding in the file are left out: they are arguments of `pack`.
    """
    path, processor = folder / "tokenizer.json", content["post_processor"]
    tokens = added(path, content["added_tokens"], vocabulary, unchanged)
    ids = {token: i for i, token in enumerate(vocabulary)}
    ids |= {token["content"]: token["id"] for token in content["added_tokens"]}
    return {"special": special, "added": tokens,
            "template": padded(folder, template(path, processor, special, ids), special).settings()}


def special(folder, default):
    """Return {role: token or None} by special_tokens_map.json, tokenizer_config.json, else `default`."""
    names = {role: default.get(role) for role in ROLES}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        content = read_json(folder / file) if (folder / file).exists() else {}
        for role in ROLES:
            token = content.get(f"{role}_token")
            token = token.get("content") if isinstance(token, dict) else token
            names[role] = token if isinstance(token, str) else names[role]
    return names


def added(path, tokens, vocabulary, unchanged=lambda token: False):
    """Return the setting `added` for the added tokens of a file, in the order of their ids.

    A token is found in a text as it stands, so a `normalized` one must be `unchanged` by the normalizer.
    """
    known, found = {token: i for i, token in enumerate(vocabulary)}, []
    for token in sorted(tokens, key=lambda token: token["id"]):
        content, normalized = token["content"], token.get("normalized", not token["special"])
        wanted = known.setdefault(content, len(known))
        if token.get("single_word") or token.get("rstrip") or normalized and not unchanged(content):
            raise Error(f"{path}: the added token {content!r} is not found as it stands, but as a single word, "
                        "normalized or with the blanks behind it; bertkit cannot find such tokens in a text.")
        if token["id"] != wanted:
            raise Error(f"{path}: the added token {content!r} has the id {token['id']}, "
                        f"wanted {wanted}; copy the file again.")
        found.append(Added(content, token["special"], token.get("lstrip", False)).settings())
    return found


def added_by_id(folder, vocabulary, unchanged=lambda token: False):
    """Return the setting `added` for the added_tokens_decoder of tokenizer_config.json, empty without one."""
    path = folder / "tokenizer_config.json"
    with whole(path):
        tokens = read_json(path).get("added_tokens_decoder", {}) if path.exists() else {}
        return added(path, [{"id": int(i), **token} for i, token in tokens.items()], vocabulary, unchanged)


def template(path, processor, special, ids):
    """Return the Template of a post_processor; without one BERT's, or the text alone if cls or sep is None.

    Raises Error if the processor gives a token another id than `ids`, {token: id}, do.
    """
    if processor is None:
        return bert(special["cls"], special["sep"]) if special["cls"] and special["sep"] else bare()
    if processor["type"] == "Sequence":                   # those of bytes only trim the offsets
        (processor,) = (part for part in processor["processors"] if part["type"] != "ByteLevel")
    require(path, "post_processor", processor, "TemplateProcessing", *PROCESSORS)
    for token, numbers in _named(processor):
        if numbers != [ids.get(token)]:
            raise Error(f"{path}: its post_processor has {numbers} for {token!r}, wanted [{ids.get(token)}]; "
                        "copy the file again.")
    if processor["type"] in PROCESSORS:
        return PROCESSORS[processor["type"]](processor["cls"][0], processor["sep"][0])
    return Template(*([_part(part) for part in processor[form]] for form in ("single", "pair")))


def padded(folder, template, special):
    """Return the template with the side that tokenizer_config.json pads on, and XLNet's with XLNet's padding."""
    names = special["cls"], special["sep"]
    if all(names) and template.single == xlnet(*names).single:
        template = xlnet(*names)
    path = folder / "tokenizer_config.json"
    side = read_json(path).get("padding_side") if path.exists() else None
    return Template(**template.settings() | ({"padding_side": side} if side else {}))


def in_order(path, ids):
    """Return the vocabulary {token: id} as a tuple; raises Error if an id is missing or doubled."""
    vocabulary = sorted(ids, key=ids.get)
    for wanted, token in enumerate(vocabulary):
        if ids[token] != wanted:
            raise Error(f"{path}: the vocabulary has the id {ids[token]} ({token!r}) where "
                        f"{wanted} was wanted; ids must be 0, 1, 2 ... without gaps.")
    return tuple(vocabulary)


def require(path, part, value, *types):
    """Raise Error unless a part of a tokenizer.json is of one of `types`; None stands for no part."""
    found = value.get("type", "nothing") if value is not None else None
    if found not in types:
        raise Error(f"{path}: its {part} is {found}, wanted {types[0]}; "
                    "bertkit does not read such a tokenizer.")


@contextlib.contextmanager
def whole(path):
    """Turn the exceptions of reading a JSON file that lacks a part into an Error."""
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
