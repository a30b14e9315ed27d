"""The settings of pre-training that seldom change, each with its source, as one frozen value."""

from dataclasses import dataclass
from typing import Any, Literal

from bertkit.errors import Error

RANGES = {"weight_decay": (0, 1), "warmup": (0, 1), "clip_norm": (0, 1e6), "accumulate": (1, 1e4), "ema": (0, 1),
          "dropout": (0, 0.9), "rate": (0.01, 0.9), "masks": (1, 1e6), "alpha": (0, 1), "temperature": (1e-3, 1e3),
          "log_every": (1, 1e6), "watch_every": (1, 1e9)}


@dataclass(frozen=True)
class PretrainConfig:
    """How an encoder is pre-trained, beyond the arguments of the recipe. `--help` shows these lines.

    Args:
        optimizer       adamw, or lamb for very large batches (You et al. 2019)
        weight_decay    λ on matrices and tables (Devlin et al. 2018, appendix A.2: 0.01)
        warmup          share of the steps in which the learning rate rises (same: 10,000 of 1,000,000)
        clip_norm       global norm that gradients are cut to; 0 never cuts (google-research/bert: 1.0)
        accumulate      batches whose gradients are averaged into one update; warm-up and decay count updates
        ema             momentum of a running mean of the weights, which is what is kept at the end; 0 = none (0.999)
        precision       bfloat16: products in bfloat16, sums and weights in float32
        dropout         in a new encoder; without it the config's: 0.1 (Devlin et al. 2018); 0 in Lan et al. 2019
        rate            share of the tokens that are hidden (Devlin et al. 2018, section 3.1: 0.15)
        whole_words     hide all pieces of a word or none (README of the BERT release, 2019)
        segmenter       jieba finds the words of Chinese, whose characters whole_words or span then hides together
        selection       counted: that share of each row; independent: each token by itself (Liu et al. 2019, RoBERTa)
        masks           how many different masks a row gets (static masking); by default a new one each time
        pack            put several short texts in a row; each attends to itself alone (Krell et al. 2021)
        teacher         a checkpoint to follow at the masked places and inside, of the corpus's vocabulary (DistilBERT)
        matches         what inside follows what: a .json file, distilbert, tinybert, minilm, minilmv2 or mobilebert
        alpha           share of the masked words themselves beside the teacher's answers, 0 to 1 (Sun et al. 2020)
        temperature     what the logits of both are divided by before they are compared (Sanh et al. 2019: 2)
        log_every       steps between two points in TensorBoard
        watch_every     steps between two measurements inside: masked accuracy, fill-ins, attention entropy, norms
        no_texts        write no text of the corpus for TensorBoard
        distribute      devices: all of this machine; workers: the processes that TF_CONFIG names

    Raises:
        Error: when a value lies outside of its range.

    Example:
        >>> PretrainConfig(rate=0.2).rate
        0.2
    """

    optimizer: Literal["adamw", "lamb"] = "adamw"
    weight_decay: float = 0.01
    warmup: float = 0.05
    clip_norm: float = 1.0
    accumulate: int = 1
    ema: float = 0.0
    precision: Literal["float32", "bfloat16"] = "float32"
    dropout: float | None = None
    rate: float = 0.15
    whole_words: bool = False
    segmenter: Literal["jieba"] | None = None
    selection: Literal["counted", "independent"] = "counted"
    masks: int | None = None
    pack: bool = False
    teacher: str | None = None
    matches: str | None = None
    alpha: float = 0.5
    temperature: float = 2.0
    log_every: int = 20
    watch_every: int = 500
    no_texts: bool = False
    distribute: Literal["none", "devices", "workers"] = "none"

    def weight_settings(self) -> dict[str, Any]:
        """Return the settings on which the weights depend: all but how often something is logged.

        Returns:
            {name: value}, as JSON.
        """
        others = ["log_every", "watch_every", "no_texts"]
        others += [] if self.teacher else ["teacher", "matches", "alpha", "temperature"]
        return {name: value for name, value in vars(self).items() if name not in others}

    def __post_init__(self):
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                raise Error(f"{name}={value} lies outside {low:g} to {high:g}; give a number in that range.")
        if self.matches and not self.teacher:
            raise Error(f"matches={self.matches} are with a teacher; give one with --teacher.")
        if self.matches and self.distribute != "none":
            raise Error(f"matches are compared on one device, and distribute={self.distribute}; leave one of them out.")
