"""Finding the tokenizer in a path: every published form becomes (vocabulary, settings)."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bertkit import addresses
from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.files.bounded import as_path
from bertkit.files.modules import encoder_folder
from bertkit.files.schema import Choice, Maybe
from bertkit.text.formats import beside, bytelevel, japanese, sentence_transformers, sentencepiece, wordpiece
from bertkit.text.formats.vocabulary import read_lines, read_vocabulary

GOOGLE = {"rules": "google", "longest_word": 200}
# Files of the first versions of `tokenizers` do not name the type of their model.
UNNAMED = {"merges": "BPE", "continuing_subword_prefix": "WordPiece", "unk_id": "Unigram"}
_KINDS = Choice("wordpiece", "bytelevel", "unigram", "bpe", "bytefallback", "japanese")
_BUNDLE = {"tokenizer": ({"kind": Maybe(_KINDS)}, None)}
EXPORTED, _EXPORT = "ondevice.json", {"tokenizer": {"kind": _KINDS}}
PRESETS = ("BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer")
# The end of the name of a vocabulary file; a name without it that is no file may be that of a preset.
FILES = (".txt", ".model", ".json")


def read(address: str | Path) -> tuple[Sequence[str], dict[str, Any]]:
    """Read the tokenizer of a vocabulary file or of a folder, which its files decide.

    Args:
        address: vocab.txt, .model file, or an address that `bertkit.load` takes, such as a folder.

    Returns:
        The vocabulary and the settings of a `Tokenizer`.

    Raises:
        Error: when the address does not exist, or holds no tokenizer that bertkit reads.
    """
    path = as_path(address, "a tokenizer")
    if path.is_file():
        return sentencepiece.from_legacy(path.parent, path) if path.suffix == ".model" else _by_case(read_lines(path))
    if path.suffix in FILES and not path.exists():
        raise Error(f"{path} does not exist; give a checkpoint folder or a vocab.txt.")
    backbones = tuple(name.replace("Tokenizer", "Backbone") for name in PRESETS)
    path = encoder_folder(addresses.local_folder(address, backbones, weights=False))
    for name, reader in READERS.items():
        if any(path.glob(name)):
            vocabulary, settings = reader(path)
            return vocabulary, sentence_transformers.lowered(path, settings)
    raise Error(f"{path} holds no tokenizer that bertkit reads; wanted {' or '.join(READERS)}.")


def holds_tokenizer(folder: Path) -> bool:
    """Return whether a folder has a tokenizer; a bundle can say that it has none.

    Args:
        folder: the folder.

    Returns:
        True or False.
    """
    folder = encoder_folder(folder)
    file = next((name for name in READERS if any(folder.glob(name))), None)
    return file is not None and (file != "bundle.json" or read_json(folder / file).get("tokenizer") is not None)


def uncased(vocabulary: Iterable[str]) -> bool:
    """Return whether no entry outside brackets has an upper-case letter.

    Args:
        vocabulary: the entries.

    Returns:
        True or False.
    """
    return all(word == word.lower() for word in vocabulary
               if not (word.startswith(("[", "<")) and word.endswith(("]", ">"))))


def _by_case(vocabulary, **settings):
    """Return a WordPiece vocabulary with the settings of its case."""
    lower = uncased(vocabulary)
    return vocabulary, {"lowercase": lower, "strip_accents": lower, **wordpiece.of_vocabulary(vocabulary), **settings}


def _bundle(folder):
    """Read a bertkit bundle, whose bundle.json has the settings."""
    settings = read_json(folder / "bundle.json", _BUNDLE, signed=True)["tokenizer"]
    if settings is None:
        raise Error(f"{folder / 'bundle.json'} has no tokenizer settings; copy the bundle again.")
    vocabulary, tables = read_vocabulary(folder, settings.get("kind", "wordpiece"))
    return vocabulary, settings | tables


def _exported(folder):
    """Read what `bertkit export --to tflite` wrote, whose ondevice.json has the settings."""
    settings = read_json(folder / EXPORTED, _EXPORT, signed=True)["tokenizer"]
    vocabulary, tables = read_vocabulary(folder, settings["kind"])
    return vocabulary, settings | tables


def _tokenizer_json(folder):
    """Read a tokenizer.json of Hugging Face or of keras-nlp."""
    if beside.tokenizer_class(folder) == japanese.CLASS and (folder / "vocab.txt").exists():
        return _vocabulary(folder)                    # that class reads its vocab.txt, and no tokenizer.json
    content = read_json(folder / "tokenizer.json")
    if "class_name" in content:
        return _preset(folder, content)
    return _reader(folder / "tokenizer.json", content)(folder, content)


def _reader(path, content):
    """Return the function that reads a tokenizer.json of the library `tokenizers`, by its model."""
    with beside.complete_json(path):
        model, split = content["model"], json.dumps(content["pre_tokenizer"])
        kind = model.get("type") or next((kind for key, kind in UNNAMED.items() if key in model), "nothing")
    if kind == "WordPiece":
        return wordpiece.from_tokenizer_json
    if kind == "BPE" and '"ByteLevel"' in split:
        return bytelevel.from_tokenizer_json
    if kind == "Unigram" or kind == "BPE" and ('"Metaspace"' in split or model.get("byte_fallback")):
        return sentencepiece.from_tokenizer_json
    raise Error(f"{path}: its model is {kind}, wanted WordPiece, Unigram, or BPE on bytes, words or texts; "
                "bertkit does not read such a tokenizer.")


def _preset(folder, content):
    """Read a keras-nlp preset; accents are removed where it is uncased, as the vocabularies were made."""
    if content["class_name"] not in PRESETS:
        raise Error(f"{folder / 'tokenizer.json'} is a {content['class_name']}; bertkit reads "
                    f"{', '.join(PRESETS)}.")
    vocabulary = read_lines(folder / "assets" / "tokenizer" / "vocabulary.txt")
    lower = content.get("config", {}).get("lowercase", uncased(vocabulary))
    return vocabulary, {"lowercase": lower, "strip_accents": lower}


def _vocabulary(folder):
    """Read a vocab.txt beside a tokenizer_config.json (Hugging Face), a TF1 checkpoint or neither."""
    vocabulary = read_lines(folder / "vocab.txt")
    if beside.tokenizer_class(folder) == japanese.CLASS:
        return vocabulary, japanese.from_legacy(folder, vocabulary)
    if any((folder / name).exists() for name in (beside.CONFIG, beside.MAP, beside.ADDED)):
        return vocabulary, wordpiece.from_legacy(folder, vocabulary, uncased(vocabulary))
    google = (folder / "bert_config.json").exists() or any(folder.glob("*.ckpt*.index"))
    return _by_case(vocabulary, **GOOGLE if google else {})


def _model(folder):
    """Read the one sentencepiece model of a folder."""
    models = sorted(folder.glob("*.model"))
    if len(models) > 1:
        raise Error(f"{folder} holds {' and '.join(path.name for path in models)}; give the path of one of them.")
    return sentencepiece.from_legacy(folder, models[0])


READERS = {"bundle.json": _bundle, EXPORTED: _exported, "tokenizer.json": _tokenizer_json, "vocab.txt": _vocabulary,
           "vocab.json": bytelevel.from_legacy, "*.model": _model}
