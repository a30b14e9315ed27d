"""A subject beside the reference with the same weights, on the same inputs."""

from collections.abc import Callable, Mapping

import numpy as np

from bertkit.doctor.case import Batch, Case, Outputs, Weights
from bertkit.doctor.comparison import Gap, gap
from bertkit.doctor.probes import copied, settings_of
from bertkit.doctor.reference import Encoder

SHORT, FEW = "mixed", "few"
# Encoders with more numbers than this are screened on a few rows of the mixed batch.
SMALL = 3e5


class World:
    """A subject with weights, and its answers to the batches of an examination.

    Args:
        case: The case.
        subject: The subject, which computes with `weights`.
        weights: {name in a bare encoder: array of any shape and dtype}.
        batches: {what: int [B,T] each}.
    """

    def __init__(self, case: Case, subject: Callable[[Batch], Outputs], weights: Weights,
                 batches: Mapping[str, Batch]) -> None:
        self.case, self.settings, self.batches = case, settings_of(case), dict(batches)
        self.answers = {}
        for what, batch in batches.items():
            try:
                self.answers[what] = subject(batch)
            except Exception:
                if what == SHORT:
                    raise
        one = self.answers[SHORT]
        self.wanted = tuple(one)
        self.token_logits = "logits" in one and np.ndim(one["logits"]) == 3
        self.reference = Encoder(self.settings, weights, _precision(self.settings),
                                 bool(case.config.get("tie_word_embeddings", True)))
        self.few: Outputs = {}
        self.screen = self._few()
        self.kept: dict[str, tuple[Encoder, Outputs]] = {}

    def computed(self, encoder: Encoder, what: str) -> Outputs:
        """Return what an encoder answers to one of the batches.

        Args:
            encoder: The reference or a mutant.
            what: The name of the batch.

        Returns:
            {name: float array}.
        """
        if (kept := self.kept.get(what)) is not None and kept[0] is encoder:
            return kept[1]
        with np.errstate(all="ignore"):
            found = encoder(self.batches[what], self.wanted, self.token_logits)
        if encoder is self.reference:
            self.kept[what] = encoder, found
        return found

    def apart(self, encoder: Encoder, what: str) -> Gap:
        """Return how far the subject is from an encoder.

        Args:
            encoder: The reference or a mutant.
            what: The name of the batch.

        Returns:
            The `Gap`; infinite where the encoder cannot compute.
        """
        try:
            found = self.computed(encoder, what)
        except Exception as error:
            return Gap(np.inf, "", f"{type(error).__name__}")
        return gap(self.few if what == FEW else self.answers[what], found, self.batches[what])

    def _few(self):
        """Add the rows of the mixed batch that show most: padding on the left, and masked words."""
        if 12 * self.settings.layers * self.settings.hidden ** 2 < SMALL or len(self.batches[SHORT]["token_ids"]) < 5:
            return SHORT
        index = [2, 4]
        self.batches[FEW] = copied(self.batches[SHORT], index)
        self.few = {name: [each[index] for each in value] if isinstance(value, list) else value[index]
                    for name, value in self.answers[SHORT].items()}
        return FEW


def _precision(settings):
    """Return float64 where it costs little, else float32."""
    return np.float64 if settings.hidden ** 2 * 12 * settings.layers < 4e7 else np.float32
