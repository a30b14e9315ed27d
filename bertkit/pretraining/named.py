"""Objectives and sizes by the names that a user types."""

import os
from collections.abc import Sequence
from pathlib import Path

from bertkit import family
from bertkit.checkpoints import architectures
from bertkit.config import EncoderConfig
from bertkit.cost import parameters
from bertkit.errors import Error
from bertkit.files.atomic import SETTINGS, read_json
from bertkit.objectives import MLM, NSP, PLM, RTD, SBO, SOP
from bertkit.objectives.objective import Objective
from bertkit.text import Tokenizer, template

NAMES = ("mlm", "span", "sbo", "nsp", "sop", "rtd", "plm")
ALONE = ("rtd", "plm")          # objectives that use the encoder in another way than all others
# The family whose paper has the objective; all others are BERT's.
FAMILIES = {"rtd": "electra", "plm": "xlnet", "sbo": "spanbert"}
SIZES = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512), "medium": (8, 512), "base": (12, 768)}
RATE = 0.15                     # share of the tokens that are hidden (Devlin et al. 2018, section 3.1)
MOST_LAYERS, MEMORIES = 500, 4  # more layers than any encoder has that is trained; so much more than this machine holds
NARROW = 128                    # width of ELECTRA's token vectors where blocks are wider (Clark et al. 2020, table 6)


def split_names(text: str) -> tuple[str, ...]:
    """Split "mlm,nsp" into the names of objectives.

    Args:
        text: Names with commas between them.

    Returns:
        The names, each once.

    Raises:
        Error: when a name is unknown, when there is none, and when objectives do not go together.

    Example:
        >>> split_names("mlm,nsp")
        ('mlm', 'nsp')
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if unknown := [name for name in names if name not in NAMES]:
        raise Error(f"There is no objective {', '.join(unknown)}; there are {', '.join(NAMES)}.")
    if not names:
        raise Error(f"There is no objective in {text!r}; give one or more of {', '.join(NAMES)}.")
    if len(names) > 1 and (alone := [name for name in names if name in ALONE]):
        raise Error(f"The objectives {text} came, and {alone[0]} stands alone; give {alone[0]} without the others.")
    if {"nsp", "sop"} <= set(names):
        raise Error("nsp and sop need different pairs of texts; give one of them.")
    if names in (("nsp",), ("sop",)):
        raise Error(f"{names[0]} alone teaches no words; give mlm,{names[0]}.")
    return names


def make_objectives(names: Sequence[str], tokenizer: Tokenizer, seed: int = 0, rate: float = RATE,
                    whole_words: bool = False, selection: str = "counted",
                    segmenter: str | None = None) -> list[Objective]:
    """Make the objectives of `split_names`: those that hide tokens first, then the others.

    Args:
        names: What `split_names` returned.
        tokenizer: The `Tokenizer` of the texts.
        seed: The seed of the draws.
        rate: The share of the tokens that are hidden.
        whole_words: Hide all pieces of a word or none.
        selection: "counted" or "independent", see `MLM`.
        segmenter: What finds the words of Chinese, see `MLM`.

    Returns:
        The objectives.

    Raises:
        Error: when a setting does nothing for one of them.
    """
    spans = bool({"span", "sbo"} & set(names))
    if whole_words and (spans or "plm" in names):
        raise Error(f"whole_words does nothing for {','.join(names)}, which choose whole words as it is; leave it out.")
    if selection != "counted" and {"rtd", "plm"} & set(names):
        raise Error(f"selection={selection} does nothing for {names[0]}; leave it out.")
    if "plm" in names:
        if rate != RATE:
            raise Error(f"rate={rate} does nothing for plm, which guesses about a sixth of the tokens; leave it out.")
        if segmenter is not None:
            raise Error(f"segmenter={segmenter} does nothing for plm; leave it out.")
        return [PLM(tokenizer, seed=seed)]
    if "rtd" in names:
        return [RTD(tokenizer, rate=rate, seed=seed, choice="words" if whole_words else "tokens",
                    segmenter=segmenter)]
    choice = "spans" if spans else "words" if whole_words else "tokens"
    masked = MLM(tokenizer, rate=rate, seed=seed, choice=choice, selection=selection, segmenter=segmenter)
    return [masked] + [make() for name, make in (("nsp", NSP), ("sop", SOP)) if name in names] + (
        [SBO(tokenizer)] if "sbo" in names else [])


def read_config(config: str, names: Sequence[str], vocabulary_size: int, dropout: float | None = None) -> EncoderConfig:
    """Return the config of a size's name, or of a file: Hugging Face's config.json or `EncoderConfig.to_json`.

    A named size is of the family whose paper has the objective.

    Args:
        config: "tiny", "mini", "small", "medium", "base", or the path of a file.
        names: The names of the objectives.
        vocabulary_size: The number of entries of the vocabulary.
        dropout: Replaces the dropout of the config where it is given.

    Returns:
        The `EncoderConfig`.

    Raises:
        Error: when `config` is neither a size nor a file.
    """
    made = _config(config, names, vocabulary_size)
    _check_size(made, config)
    return made if dropout is None else made.but(dropout=dropout, attention_dropout=dropout)


def _check_size(made, config):
    """Raise `Error` for an encoder that this machine cannot train by far, before memory is taken for it."""
    if made.num_layers > MOST_LAYERS:
        raise Error(f"config={config} has {made.num_layers} layers, more than any encoder that is trained; give "
                    f"{MOST_LAYERS} or less.")
    needed, held = 16 * parameters(made), os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > MEMORIES * held:
        raise Error(f"config={config} takes {needed / 2**30:,.0f} GiB of memory to train, and this machine has "
                    f"{held / 2**30:,.0f}; give a smaller one.")


def _config(config, names, vocabulary_size):
    if config in SIZES:
        return _sized(config, next((FAMILIES[name] for name in names if name in FAMILIES), "bert"), vocabulary_size)
    if not Path(config).is_file():
        raise Error(f"config={config} is no size and no file; give {', '.join(SIZES)}, or a config.json.")
    values = read_json(config, dict, SETTINGS)
    if "model_type" not in values:
        return EncoderConfig.from_json(values)
    page = family.of_huggingface(values)
    return architectures.encoder_config(values, page, config)


def _sized(name, page, vocabulary_size):
    layers, width = SIZES[name]
    narrow = {"embedding_dim": NARROW if width > NARROW else None} if page == "electra" else {}
    return family.page(page).CONFIG.but(vocabulary_size=vocabulary_size, num_layers=layers, num_heads=width // 64,
                                        hidden_dim=width, intermediate_dim=4 * width, **narrow)


def load_tokenizer(path: str | Path, names: Sequence[str]) -> Tokenizer:
    """Load the tokenizer of a vocabulary; for XLNet's objective it puts the special tokens where XLNet has them.

    Args:
        path: The path of a vocabulary.
        names: The names of the objectives.

    Returns:
        The `Tokenizer`.
    """
    loaded = Tokenizer.load(path)
    if "plm" not in names or {"cls", "sep"} - loaded.special.keys():
        return loaded
    placed = template.xlnet(loaded.special["cls"], loaded.special["sep"]).settings()
    return Tokenizer(loaded.model_vocabulary, **loaded.model.tables(), **(loaded.settings() | {"template": placed}))
