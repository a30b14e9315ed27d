"""What each family makes of a SentencePiece model: ids, special tokens, normalisation, template.

Source: the code that was published with XLM-R, CamemBERT, ALBERT, XLNet, BigBird, DeBERTa-v2 and Reformer, as Hugging
Face's transformers reads it. fairseq, which published XLM-R and CamemBERT, has ids of its own.
"""

import logging
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.text.added import Added
from bertkit.text.formats import beside
from bertkit.text.formats.huggingface import with_padding_side
from bertkit.text.formats.sentencepiece_model import CONTROL, Model
from bertkit.text.models.sentencepiece import SPACE
from bertkit.text.template import Template, bare, bert, roberta, xlnet

logger = logging.getLogger(__name__)

QUOTES = [["replace", "``", '"'], ["replace", "''", '"']]
PLAIN = [["nfkd"], ["accents"]]
NUMBER = 100.0                                # subtracted from the score of a piece such as "9,"


@dataclass(frozen=True)
class Family:
    """The conventions of a family, as values.

    The entries of the vocabulary are `first`, then the pieces of the model from number `dropped` on, then `last`.

    Args:
        special: dict {role: token}.
        template: function from the cls and the sep token to a `Template`.
        steps: function from the options of tokenizer_config.json to the steps of normalisation.
        words: "blanks" or "spaces", as in `SentencePiece`.
        first: pairs (text, score) of the first entries.
        dropped: number of pieces of the model that are left out at its beginning.
        last: pairs (text, score) of the last entries.
        mask_takes_blanks: whether the mask token takes the blanks before it along.
        splits_numbers: whether a number and the comma behind it are separate, as in ALBERT and XLNet.
    """

    special: dict[str, str]
    template: Callable[..., Template]
    steps: Callable[[dict[str, Any]], list[list[str]]]
    words: str = "blanks"
    first: tuple[tuple[str, float], ...] = ()
    dropped: int = 0
    last: tuple[tuple[str, float], ...] = ()
    mask_takes_blanks: bool = False
    splits_numbers: bool = False

    def tokenizer(self, folder: Path, model: Model) -> tuple[tuple[str, ...], list[float], dict[str, Any]]:
        """Return what a tokenizer of this family is made of.

        Args:
            folder: folder of tokenizer_config.json.
            model: contents of the .model file.

        Returns:
            The vocabulary, the score of each entry, and the other settings of a `Tokenizer`.

        Raises:
            Error: when the model has no piece for the cls or the sep token.
        """
        config = folder / "tokenizer_config.json"
        options = read_json(config) if config.exists() else {}
        pieces = [*self.first, *((text, self._score(text, score)) for text, score, _ in model.pieces[self.dropped:]),
                  *self.last]
        vocabulary = tuple(text for text, _ in pieces)
        usual = {role: token for role, token in ENDS.items() if token in vocabulary} | self.special
        names = without_missing(folder, beside.special(folder, usual), vocabulary)
        controls = [text for text, _, kind in model.pieces if kind == CONTROL]
        tokens = dict.fromkeys(token for token in (*names.values(), *controls) if token in vocabulary)
        own = [Added(token, lstrip=self.mask_takes_blanks and token == names["mask"]) for token in tokens]
        listed = beside.added(folder, vocabulary, names)
        known = {Added.of(token).content for token in listed}
        added = [*listed, *(token.settings() for token in own if token.content not in known)]
        ends = [names[role] for role in ("cls", "sep") if role in self.special]
        if None in ends:
            raise Error(f"The SentencePiece model in {folder} has no piece {self.special['cls']} or no "
                        f"{self.special['sep']}; give the one of the checkpoint.")
        return vocabulary, [score for _, score in pieces], {
            "normalization": self.steps(options), "words": self.words, "controls": list(tokens), "special": names,
            "added": added,
            "template": with_padding_side(folder, self.template(*ends), names).settings()}

    def _score(self, text, score):
        """Return the score of a piece; ALBERT and XLNet separate a number from the comma behind it."""
        apart = self.splits_numbers and text.endswith(",") and text[-2:-1].isdigit()
        return score - NUMBER if apart else score


def _cleaned(accents, lowercase):
    """Return the steps of ALBERT and XLNet with these defaults of keep_accents and do_lower_case."""
    def steps(options):
        keep = accents and options.get("keep_accents", False)
        lower = [["lowercase"]] * bool(options.get("do_lower_case", lowercase))
        return [*QUOTES, *([] if keep else PLAIN), *lower, ["charsmap"]]
    return steps


def _deberta(options):
    """Return the steps of DeBERTa-v2."""
    lower = [["lowercase"]] * bool(options.get("do_lower_case"))
    return [*lower, ["strip_left"], ["strip_right"], ["charsmap"], ["squeeze", " "]]


def _always(*steps):
    return lambda options: [*steps]


GOOGLE = {"unk": "<unk>", "cls": "[CLS]", "sep": "[SEP]", "pad": "<pad>", "mask": "[MASK]"}
FAIRSEQ = {"unk": "<unk>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "mask": "<mask>"}
ENDS = {"bos": "<s>", "eos": "</s>"}          # of the families whose vocabulary has them
MASK = (("<mask>", 0.0),)
FAMILIES = {
    "albert": Family(GOOGLE, bert, _cleaned(True, True), splits_numbers=True),
    "xlnet": Family(FAIRSEQ | {"cls": "<cls>", "sep": "<sep>"}, xlnet, _cleaned(False, False), splits_numbers=True,
                    mask_takes_blanks=True),
    "bigbird": Family(GOOGLE, bert, _always(["squeeze", SPACE]), "spaces", mask_takes_blanks=True),
    "reformer": Family({"unk": "<unk>"}, bare, _always(["charsmap"], ["squeeze", " "]), "spaces"),
    "xlmroberta": Family(FAIRSEQ, roberta, _always(["charsmap"]), dropped=3, last=MASK,
                         first=(("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0))),
    "debertav2": Family(GOOGLE | {"unk": "[UNK]", "pad": "[PAD]"}, bert, _deberta, "spaces", last=(("[MASK]", 0.0),)),
    "camembert": Family(FAIRSEQ, roberta, _always(["charsmap"]), dropped=1, last=MASK, mask_takes_blanks=True,
                        first=(("<s>NOTUSED", 0.0), ("<pad>", 0.0), ("</s>NOTUSED", 0.0), ("<unk>", 0.0),
                               ("<unk>NOTUSED", -100.0))),
}
FAMILY_BY_CONFIG = {"albert_config.json": "albert", "xlnet_config.json": "xlnet"}


def without_missing(folder: Path, names: dict[str, str | None], known: Container[str]) -> dict[str, str | None]:
    """Return special tokens without those that the vocabulary lacks, and log which these are.

    Args:
        folder: folder of the tokenizer, for the log.
        names: dict {role: token or None}.
        known: the tokens that there are.

    Returns:
        The dict, with None in the place of a missing token.
    """
    if missing := {token for token in names.values() if token is not None and token not in known}:
        logger.warning("%s: the vocabulary has no %s; the tokenizer goes without.", folder, " and no ".join(missing))
    return {role: None if token in missing else token for role, token in names.items()}


def family(folder: Path, path: Path) -> Family:
    """Return the family of a .model file.

    Args:
        folder: folder of its configuration.
        path: the .model file, for messages.

    Returns:
        A `Family`.

    Raises:
        Error: when no configuration in the folder names the family.
    """
    for file, key in (("tokenizer_config.json", "tokenizer_class"), ("config.json", "model_type")):
        name = read_json(folder / file).get(key) if (folder / file).exists() else None
        name = str(name).removesuffix("Fast").removesuffix("Tokenizer").replace("-", "").replace("_", "").lower()
        if name in FAMILIES:
            return FAMILIES[name]
    for file, name in FAMILY_BY_CONFIG.items():
        if (folder / file).exists():
            return FAMILIES[name]
    raise Error(f"{path} does not say its family; put a config.json with a model_type beside it, one of "
                "xlm-roberta, camembert, albert, xlnet, big_bird, deberta-v2 and reformer.")
