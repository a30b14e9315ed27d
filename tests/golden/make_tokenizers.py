"""Make tokenizers.json: small random tokenizer folders, and the ids and offsets that transformers gives for each.

    python tests/golden/make_tokenizers.py [FOLDERS [SEED [OUT]]]

Needs transformers 5. Each folder draws which files it has and what they say: added tokens in four files, their flags,
special tokens under other names, the case in two files, normalizers of several parts. `special` are the ids where every
special token is recognised; `plain` are those where the tokens of the roles are text, which is asked of the library
`tokenizers` without these tokens.
"""

import json
import random
import sys
import tempfile
import warnings
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROLES = ("unk", "cls", "sep", "pad", "mask")
WORDS = ["river", "River", "##s", "bank", "##k", "covid", "-", "19", "é", "e", "E", "É", "##e", "漢", "字", "漢字",
         "a", "b", "x", "1", ".", "[", "]", "/", "new", "NEW", "##ew", "n", "N", "##1", "##2", "new1", "i",
         "İ", "ß", "ss", "mask", "MASK", "cls"]
EXTRA = ["[E1]", "[/E1]", "covid-19", "Covid-19", "É1", "new", "NEW1", "漢x", "a b", "river", "##s", "-", "xx",
         "[mask]", "İx", "<e>", "é", "e\u0301y"]
TEXTS = ["", "river", "Rivers BANK", "covid-19", "COVID-19", "Covid-19s", "xcovid-19", "[E1]", "[/E1]",
         "[E1]river[/E1]", "[MASK]", "[CLS]", "<mask>", "<s>", "[C]", "[mask]", "É1", "é1", "É", "e\u0301", "e\u0301y",
         "éy", "漢字", "漢x", "漢X", "new", "NEW", "new1", "NEW1", "a b", "A B", "xx", "XX", "İx", "i̇x", "ß", "\u00a0",
         "\t", " ", "  ", ".", "-", "<e>", "<E>", "\u200b", "1", "_"]


def letters():
    """Return the letters of byte-level BPE, in the order of the bytes."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = iter(range(0x100, 0x200))
    return [chr(byte if byte in printable else next(others)) for byte in range(256)]


def maybe(rng, chance=0.5):
    return rng.random() < chance


def flags(rng, content, **given):
    special = maybe(rng)
    return {"content": content, "special": special, "lstrip": maybe(rng, 0.25), "rstrip": maybe(rng, 0.25),
            "single_word": maybe(rng, 0.25), "normalized": maybe(rng, 0.2 if special else 0.8)} | given


def numbered(rng, vocabulary, contents, make):
    """Return {id: token}: the ids of the vocabulary, or those behind it."""
    ids, size = {entry: i for i, entry in enumerate(vocabulary)}, len(vocabulary)
    found = {}
    for content in contents:
        if content not in ids:
            ids[content] = size
            size += 1
        found[ids[content]] = make(content)
    return dict(sorted(found.items()))


def wordpiece(rng):
    names = {role: f"[{role.upper()}]" for role in ROLES}
    renamed = maybe(rng, 0.3)
    if renamed:
        names["cls"] = "[C]"
    words = rng.sample(WORDS, len(WORDS) - rng.randrange(8))
    return names, [*names.values(), *words], renamed


def normalizer(rng):
    bert = {"type": "BertNormalizer", "clean_text": maybe(rng, 0.8), "handle_chinese_chars": maybe(rng, 0.8),
            "strip_accents": rng.choice([None, None, True, False]), "lowercase": maybe(rng, 0.6)}
    others = [{"type": kind} for kind in ("Lowercase", "NFC", "NFD", "NFKC", "NFKD", "StripAccents")]
    parts = rng.sample(others, rng.randrange(3))
    parts.insert(rng.randrange(len(parts) + 1), bert)
    return bert if maybe(rng) else {"type": "Sequence", "normalizers": parts}


def effective(normal):
    parts = normal["normalizers"] if normal["type"] == "Sequence" else [normal]
    return any(part.get("lowercase", part["type"] == "Lowercase") for part in parts)


def template(names, ids):
    cls, sep = names["cls"], names["sep"]
    part = ({"SpecialToken": {"id": cls, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
            {"SpecialToken": {"id": sep, "type_id": 0}})
    pair = [*part, {"Sequence": {"id": "B", "type_id": 1}}, {"SpecialToken": {"id": sep, "type_id": 1}}]
    return {"type": "TemplateProcessing", "single": list(part), "pair": pair, "special_tokens": {
        token: {"id": token, "ids": [ids[token]], "tokens": [token]} for token in (cls, sep)}}


def around(rng, files, config, names, vocabulary, plain_roles):
    """Add the files and keys that speak of added tokens."""
    extra = rng.sample(EXTRA, rng.randrange(1, 5))
    form = rng.choice(["decoder", "older", "older", "lists", "none"])
    older = {f"{role}_token": token for role, token in names.items()}
    if form == "decoder":
        roles = numbered(rng, vocabulary, plain_roles, lambda content: flags(
            rng, content, special=True, normalized=False, single_word=False, lstrip=False, rstrip=False))
        config["added_tokens_decoder"] = {str(i): token for i, token in (
            roles | numbered(rng, vocabulary, extra, lambda content: flags(rng, content))).items()}
    if form == "older":
        files["added_tokens.json"] = {content: i for i, content in numbered(rng, vocabulary, extra, str).items()}
        if maybe(rng):
            older["additional_special_tokens"] = extra[:1]
    if form == "lists":
        where = rng.choice([config, older])
        where[rng.choice(["additional_special_tokens", "extra_special_tokens"])] = extra
    if form != "decoder" and maybe(rng, 0.7):
        files["special_tokens_map.json"] = older
    else:
        config |= older
        if form == "decoder" and maybe(rng, 0.3):
            files["special_tokens_map.json"] = older


def folder(rng):
    """Return {name: content} of one folder."""
    kind = rng.choice(["vocab.txt", "vocab.txt", "wordpiece", "wordpiece", "wordpiece", "bytes", "bytes.json",
                       "bytes.json"])
    config, files = {}, {"config.json": {"model_type": "bert"}}
    if kind in ("vocab.txt", "wordpiece"):
        names, vocabulary, renamed = wordpiece(rng)
        config["do_lower_case"] = maybe(rng)
        if maybe(rng, 0.4):
            config["strip_accents"] = rng.choice([None, True, False])
        if maybe(rng, 0.3):
            config["tokenize_chinese_chars"] = maybe(rng)
        if maybe(rng, 0.2):
            config |= {"do_basic_tokenize": False, "never_split": ["NEW"]}
        config["tokenizer_class"] = "BertTokenizer"
        around(rng, files, config, names, vocabulary, list(names.values()))
        if kind == "vocab.txt":
            files["vocab.txt"] = vocabulary
        else:
            if maybe(rng, 0.6):
                config["tokenizer_class"] = rng.choice(["PreTrainedTokenizerFast", "TokenizersBackend"])
                normal = normalizer(rng)
            else:                                     # which transformers 5 takes from tokenizer_config.json alone
                normal = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": maybe(rng),
                          "strip_accents": config.get("strip_accents"), "lowercase": maybe(rng)}
                config["tokenize_chinese_chars"] = maybe(rng)
                config["strip_accents"] = config.get("strip_accents")
            listed = files.get("added_tokens.json") or rng.sample(EXTRA, 2)
            tokens = {} if "added_tokens_decoder" in config or "added_tokens.json" in files else numbered(
                rng, vocabulary, listed, lambda content: flags(rng, content))
            tokens = numbered(rng, vocabulary, names.values(), lambda content: flags(
                rng, content, special=True, normalized=False, single_word=False, lstrip=False, rstrip=False)) | tokens
            if "added_tokens_decoder" in config:
                tokens = {int(i): token for i, token in config["added_tokens_decoder"].items()}
            ids = {entry: i for i, entry in enumerate(vocabulary)}
            files["tokenizer.json"] = {
                "version": "1.0", "truncation": None, "padding": None, "normalizer": normal, "decoder": None,
                "added_tokens": [{"id": i, **token} for i, token in sorted(tokens.items())],
                "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": template(names, ids), "model": {
                    "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                    "max_input_chars_per_word": 100, "vocab": ids}}
    else:
        names = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}
        base = [letter for byte, letter in enumerate(letters()) if not (byte == 10 and maybe(rng, 0.3))]
        merges = ["r i", "v e", "ri ve", "rive r", "Ġ rive", "n e", "ne w", "Ġ a", "Ã ©"]
        vocabulary = [*names.values(), *base, *(merge.replace(" ", "") for merge in merges)]
        files["config.json"] = {"model_type": "roberta"}
        config |= {"tokenizer_class": "RobertaTokenizer", "add_prefix_space": maybe(rng)}
        around(rng, files, config, names, vocabulary, list(names.values()))
        ids = {entry: i for i, entry in enumerate(vocabulary)}
        if kind == "bytes":
            files |= {"vocab.json": ids, "merges.txt": ["#version: 0.2", *merges]}
        else:
            normal = None
            if maybe(rng):
                config["tokenizer_class"] = "PreTrainedTokenizerFast"
                normal = rng.choice([None, {"type": "NFC"}, {"type": "Sequence", "normalizers": [
                    {"type": "Lowercase"}, {"type": "NFKC"}]}])
            split = {"type": "ByteLevel", "add_prefix_space": maybe(rng), "trim_offsets": True, "use_regex": True}
            tokens = numbered(rng, vocabulary, names.values(), lambda content: flags(
                rng, content, special=True, normalized=False, single_word=False, lstrip=content == "<mask>",
                rstrip=False))
            if "added_tokens_decoder" in config:
                tokens = {int(i): token for i, token in config["added_tokens_decoder"].items()}
            files["tokenizer.json"] = {
                "version": "1.0", "truncation": None, "padding": None, "normalizer": normal, "decoder": None,
                "added_tokens": [{"id": i, **token} for i, token in tokens.items()], "pre_tokenizer": split,
                "post_processor": {"type": "RobertaProcessing", "cls": ["<s>", ids["<s>"]],
                                   "sep": ["</s>", ids["</s>"]], "trim_offsets": True,
                                   "add_prefix_space": split["add_prefix_space"]},
                "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None,
                          "end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
                          "vocab": ids, "merges": merges}}
    files["tokenizer_config.json"] = config
    return files, names


def write(place, files):
    for name, content in files.items():
        text = "\n".join(content) + "\n" if isinstance(content, list) else json.dumps(content, ensure_ascii=False)
        (Path(place) / name).write_text(text, "utf-8")


def asked(files, names, texts):
    """Return what transformers makes of texts, with the tokens of the roles and without."""
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer
    with tempfile.TemporaryDirectory() as place:
        write(place, files)
        found = AutoTokenizer.from_pretrained(place)
    content = json.loads(found.backend_tokenizer.to_str())
    roles = {*names.values(), str(found.bos_token), str(found.eos_token)}
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] not in roles]
    forms = {"special": found.backend_tokenizer, "plain": Tokenizer.from_str(json.dumps(content))}
    return {form: [[encoding.ids, encoding.offsets] for encoding in (
        library.encode(text, add_special_tokens=False) for text in texts)] for form, library in forms.items()}


def main():
    count, seed, *out = [*sys.argv[1:], *["40", "15"][len(sys.argv) - 1:]]
    warnings.filterwarnings("ignore")
    rng, rows = random.Random(int(seed)), []
    while len(rows) < int(count):
        files, names = folder(rng)
        texts = ["".join(rng.choice(TEXTS) + rng.choice(["", "", " "]) for _ in range(rng.randrange(1, 7)))
                 for _ in range(6)]
        try:
            rows.append({"files": files, "texts": texts, **asked(files, names, texts)})
        except Exception as error:                    # what the reference itself cannot load
            print(f"left out: {type(error).__name__}: {str(error)[:80]}", file=sys.stderr)
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in rows)
    Path(*out or [HERE / "tokenizers.json"]).write_text(f"[\n{lines}\n]\n", "utf-8")


if __name__ == "__main__":
    main()
