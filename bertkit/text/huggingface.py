"""The tokenizer files of Hugging Face: tokenizer.json, or tokenizer_config.json and vocab.txt."""

from bertkit.errors import Error
from bertkit.text.files import read_object
from bertkit.text.template import FIRST, SECOND, bert

ROLES = ("unk", "cls", "sep", "pad", "mask")
TEXTS = {"A": FIRST, "B": SECOND}


def fast(folder, content):
    """Return (vocabulary, settings) of a tokenizer.json, the file of the library `tokenizers`.

    Its truncation and padding are left out: they are arguments of `pack`. Raises Error if the file
    is not whole or holds a model or step that bertkit does not have.
    """
    path = folder / "tokenizer.json"
    try:
        model, normalizer = content["model"], content["normalizer"]
        _require(path, "model", model, "WordPiece")
        _require(path, "normalizer", normalizer or {"type": None}, "BertNormalizer", None)
        _require(path, "pre_tokenizer", content["pre_tokenizer"], "BertPreTokenizer")
        special = _special(folder) | {"unk": model["unk_token"]}
        vocabulary = _in_order(path, model["vocab"])
        settings = {"prefix": model["continuing_subword_prefix"],
                    "longest_word": model["max_input_chars_per_word"],
                    "added": _added(path, content["added_tokens"], vocabulary),
                    "special": special, **_normalization(normalizer),
                    "template": _template(path, content["post_processor"], special)}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Error(f"{path} is not a whole tokenizer.json ({type(error).__name__}: {error}); "
                    "copy the file again.") from None
    return vocabulary, _padded(folder, settings)


def configured(folder, vocabulary, uncased):
    """Return the settings of a tokenizer_config.json; `uncased` where it does not tell the case."""
    path = folder / "tokenizer_config.json"
    config = read_object(path)
    lower, special = config.get("do_lower_case", uncased), _special(folder)
    steps = {"lowercase": lower, "strip_accents": config.get("strip_accents"),
             "handle_chinese_chars": config.get("tokenize_chinese_chars", True)}
    try:
        added = [{"id": int(i), **token}
                 for i, token in config.get("added_tokens_decoder", {}).items()]
        added = _added(path, added, vocabulary)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Error(f"{path}: added_tokens_decoder is damaged ({error}); "
                    "copy the file again.") from None
    return _padded(folder, {"added": added, "special": special, **_normalization(steps),
                            "template": bert(special["cls"], special["sep"]).settings()})


def _require(path, part, value, *types):
    # Files of the first versions of `tokenizers` do not name the type of a WordPiece model.
    found = value.get("type", "WordPiece" if "continuing_subword_prefix" in value else "nothing")
    if found not in types:
        raise Error(f"{path}: its {part} is {found}, wanted {types[0]}; "
                    "bertkit does not read such a tokenizer.")


def _normalization(steps):
    """The settings of a BertNormalizer; strip_accents null means the same as lowercase."""
    if steps is None:
        return {"lowercase": False, "strip_accents": False, "clean": False,
                "split_ideographs": False}
    strip = steps.get("strip_accents")
    return {"lowercase": steps["lowercase"], "clean": steps.get("clean_text", True),
            "strip_accents": steps["lowercase"] if strip is None else strip,
            "split_ideographs": steps.get("handle_chinese_chars", True)}


def _special(folder):
    """Return {role: token} by special_tokens_map.json, tokenizer_config.json, else BERT's own."""
    names = {role: f"[{role.upper()}]" for role in ROLES}
    for file in ("special_tokens_map.json", "tokenizer_config.json"):
        content = read_object(folder / file) if (folder / file).exists() else {}
        for role in ROLES:
            token = content.get(f"{role}_token")
            token = token.get("content") if isinstance(token, dict) else token
            names[role] = token if isinstance(token, str) else names[role]
    return names


def _in_order(path, ids):
    """Return the vocabulary {token: id} as a tuple; raises Error if an id is missing or doubled."""
    vocabulary = sorted(ids, key=ids.get)
    for wanted, token in enumerate(vocabulary):
        if ids[token] != wanted:
            raise Error(f"{path}: the vocabulary has the id {ids[token]} ({token!r}) where "
                        f"{wanted} was wanted; ids must be 0, 1, 2 ... without gaps.")
    return tuple(vocabulary)


def _added(path, tokens, vocabulary):
    """Return the contents of the special added tokens, in the order of their ids."""
    known = {token: i for i, token in enumerate(vocabulary)}
    contents = []
    for token in sorted(tokens, key=lambda token: token["id"]):
        content = token["content"]
        wanted = known.setdefault(content, len(known))
        if not token["special"] or token.get("single_word") or token.get("normalized"):
            raise Error(f"{path}: the added token {content!r} is not a plain special token; "
                        "bertkit cannot find such tokens in a text.")
        if token["id"] != wanted:
            raise Error(f"{path}: the added token {content!r} has the id {token['id']}, "
                        f"wanted {wanted}; copy the file again.")
        contents.append(content)
    return contents


def _template(path, processor, special):
    """The settings of the Template of a post_processor; BERT's where there is none."""
    if processor is None:
        return bert(special["cls"], special["sep"]).settings()
    if processor["type"] == "BertProcessing":
        return bert(processor["cls"][0], processor["sep"][0]).settings()
    _require(path, "post_processor", processor, "TemplateProcessing")
    return {form: [_part(part) for part in processor[form]] for form in ("single", "pair")}


def _part(part):
    ((kind, value),) = part.items()
    return (TEXTS[value["id"]] if kind == "Sequence" else value["id"]), value["type_id"]


def _padded(folder, settings):
    """Add to the template the side that tokenizer_config.json pads on."""
    path = folder / "tokenizer_config.json"
    side = read_object(path).get("padding_side", "right") if path.exists() else "right"
    return settings | {"template": settings["template"] | {"padding_side": side}}


def config(tokenizer):
    """Return the tokenizer_config.json that makes transformers tokenize as `tokenizer` does."""
    settings = tokenizer.settings()
    if settings["kind"] != "wordpiece":
        raise Error(f"A {settings['kind']} tokenizer is not written as a Hugging Face vocabulary yet.")
    return {"tokenizer_class": "BertTokenizer", "do_lower_case": settings["lowercase"],
            "strip_accents": settings["strip_accents"], "tokenize_chinese_chars": settings["split_ideographs"],
            **{f"{role}_token": token for role, token in settings["special"].items()}}
