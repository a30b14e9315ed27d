"""Objectives and sizes by the names that a person types."""

from pathlib import Path

from bertkit import family
from bertkit.checkpoints import architectures
from bertkit.config import EncoderConfig
from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.objectives import MLM, NSP, PLM, RTD, SBO, SOP
from bertkit.text import Tokenizer, template

NAMES = ("mlm", "span", "sbo", "nsp", "sop", "rtd", "plm")
ALONE = ("rtd", "plm")          # objectives with another way through the encoder
# The page whose papers have the objective; all others are BERT's.
FAMILIES = {"rtd": "electra", "plm": "xlnet", "sbo": "spanbert"}
SIZES = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512), "medium": (8, 512), "base": (12, 768)}
RATE = 0.15                     # share of the tokens that are hidden (Devlin et al. 2018, section 3.1)
NARROW = 128                    # width of ELECTRA's token vectors where blocks are wider (Clark et al. 2020, table 6)


def names(text):
    """Return the objectives of "mlm,nsp" as a tuple of names; raises `Error` on what there is not, or not together."""
    found = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if unknown := [name for name in found if name not in NAMES]:
        raise Error(f"There is no objective {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    if not found:
        raise Error(f"There is no objective in {text!r}; give one or more of {', '.join(NAMES)}.")
    if len(found) > 1 and (alone := [name for name in found if name in ALONE]):
        raise Error(f"The objective {alone[0]} stands alone; {text} came.")
    if {"nsp", "sop"} <= set(found):
        raise Error("nsp and sop want other pairs of texts; give one of them.")
    if found in (("nsp",), ("sop",)):
        raise Error(f"{found[0]} alone teaches no words; give mlm,{found[0]}.")
    return found


def objectives(names, tokenizer, seed=0, rate=RATE, whole_words=False, selection="counted"):
    """Return the objectives of `names`: words first, then what goes with them.

    Raises `Error` for a knob that one of them does not have.
    """
    spans = bool({"span", "sbo"} & set(names))
    if whole_words and (spans or "plm" in names):
        raise Error(f"whole_words does nothing for {','.join(names)}, which choose whole words as it is; leave it out.")
    if selection != "counted" and {"rtd", "plm"} & set(names):
        raise Error(f"selection={selection} does nothing for {names[0]}; leave it out.")
    if "plm" in names:
        if rate != RATE:
            raise Error(f"rate={rate} does nothing for plm, which guesses about a sixth of the tokens; leave it out.")
        return [PLM(tokenizer, seed=seed)]
    if "rtd" in names:
        return [RTD(tokenizer, rate=rate, seed=seed, choice="words" if whole_words else "tokens")]
    choice = "spans" if spans else "words" if whole_words else "tokens"
    found = [MLM(tokenizer, rate=rate, seed=seed, choice=choice, selection=selection)]
    return found + [make() for name, make in (("nsp", NSP), ("sop", SOP)) if name in names] + (
        [SBO(tokenizer)] if "sbo" in names else [])


def config(given, names, vocabulary_size, dropout=None):
    """Return the EncoderConfig of a size's name, or of a file: Hugging Face's config.json or `EncoderConfig.to_json`.

    A named size is of the family whose paper has the objective. `dropout`, where given, counts instead of what the
    config says. Raises `Error` where the file is neither.
    """
    found = _config(given, names, vocabulary_size)
    return found if dropout is None else found.but(dropout=dropout, attention_dropout=dropout)


def _config(given, names, vocabulary_size):
    if given in SIZES:
        return _sized(given, next((FAMILIES[name] for name in names if name in FAMILIES), "bert"), vocabulary_size)
    if not Path(given).is_file():
        raise Error(f"config={given} is no size and no file; give {', '.join(SIZES)}, or a config.json.")
    values = read_json(given)
    if "model_type" not in values:
        return EncoderConfig.from_json(values)
    page = family.of_huggingface(values)
    return architectures.encoder_config(values, page, given)


def _sized(name, page, vocabulary_size):
    layers, width = SIZES[name]
    narrow = {"embedding_dim": NARROW if width > NARROW else None} if page == "electra" else {}
    return family.page(page).CONFIG.but(vocabulary_size=vocabulary_size, num_layers=layers, num_heads=width // 64,
                                        hidden_dim=width, intermediate_dim=4 * width, **narrow)


def tokenizer(path, names):
    """Return the tokenizer of a vocabulary; for XLNet's objective with special tokens where XLNet has them."""
    found = Tokenizer.load(path)
    if "plm" not in names or {"cls", "sep"} - found.special.keys():
        return found
    placed = template.xlnet(found.special["cls"], found.special["sep"]).settings()
    return Tokenizer(found.model_vocabulary, **found.model.tables(), **(found.settings() | {"template": placed}))
