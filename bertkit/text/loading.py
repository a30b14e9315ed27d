"""Which tokenizer a path holds: every published form into (vocabulary, settings)."""

import logging

from bertkit.errors import Error
from bertkit.text import huggingface
from bertkit.text.files import read_object, read_text

logger = logging.getLogger(__name__)

GOOGLE = {"rules": "google", "longest_word": 200}
PRESETS = ("BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer")


def read(path):
    """Return (vocabulary, settings) of a vocabulary file or of a folder, decided by its files."""
    if path.is_file():
        return _guessed(read_vocabulary(path))
    for name, reader in READERS.items():
        if (path / name).exists():
            return reader(path)
    if not path.exists():
        raise Error(f"{path} does not exist; give a checkpoint folder or a vocab.txt.")
    raise Error(f"{path} holds no tokenizer that bertkit reads; wanted {' or '.join(READERS)}.")


def read_vocabulary(path):
    """Return the lines of a vocab.txt, which end at \\n or \\r\\n; raises Error if it is empty.

    Of equal lines the last counts, as in both references; the log says which.
    """
    lines = read_text(path).removesuffix("\n").split("\n")
    if lines == [""]:
        raise Error(f"{path} is empty; wanted one vocabulary entry a line.")
    words = tuple(line.removesuffix("\r") for line in lines)
    last = {word: i for i, word in enumerate(words)}
    for i, word in enumerate(words):
        if last[word] != i:
            logger.warning("%s, line %d: %r stands again in line %d, whose id is the one used.",
                           path, i + 1, word, last[word] + 1)
    return words


def uncased(vocabulary):
    """Return whether no entry outside brackets holds an upper-case letter."""
    return all(word == word.lower() for word in vocabulary
               if not (word.startswith(("[", "<")) and word.endswith(("]", ">"))))


def _guessed(vocabulary, **settings):
    lower = uncased(vocabulary)
    return vocabulary, {"lowercase": lower, "strip_accents": lower, **settings}


def _bundle(folder):
    """A bertkit bundle: the settings stand in bundle.json."""
    settings = read_object(folder / "bundle.json").get("tokenizer")
    if not isinstance(settings, dict):
        raise Error(f"{folder / 'bundle.json'} has no tokenizer settings; copy the bundle again.")
    return read_vocabulary(folder / "vocab.txt"), settings


def _tokenizer_json(folder):
    """Hugging Face or keras-nlp: both call their file tokenizer.json."""
    content = read_object(folder / "tokenizer.json")
    if "class_name" in content:
        return _preset(folder, content)
    return huggingface.fast(folder, content)


def _preset(folder, content):
    """A keras-nlp preset; accents go with the case, as the vocabularies were made."""
    if content["class_name"] not in PRESETS:
        raise Error(f"{folder / 'tokenizer.json'} is a {content['class_name']}; bertkit reads "
                    f"{', '.join(PRESETS)}.")
    vocabulary = read_vocabulary(folder / "assets" / "tokenizer" / "vocabulary.txt")
    lower = content.get("config", {}).get("lowercase", uncased(vocabulary))
    return vocabulary, {"lowercase": lower, "strip_accents": lower}


def _vocabulary(folder):
    """A vocab.txt beside a tokenizer_config.json (Hugging Face), a TF1 checkpoint or neither."""
    vocabulary = read_vocabulary(folder / "vocab.txt")
    if (folder / "tokenizer_config.json").exists():
        return vocabulary, huggingface.configured(folder, vocabulary, uncased(vocabulary))
    google = (folder / "bert_config.json").exists() or any(folder.glob("*.ckpt*.index"))
    return _guessed(vocabulary, **GOOGLE if google else {})


READERS = {"bundle.json": _bundle, "tokenizer.json": _tokenizer_json, "vocab.txt": _vocabulary}
