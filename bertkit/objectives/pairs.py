"""Objectives that predict how two texts belong together: next-sentence prediction and sentence order."""

from typing import Any

from keras import ops

from bertkit.corpus.rows import next_sentence, sentence_order
from bertkit.kinds import HeadConfig
from bertkit.objectives.objective import Objective, weighted_accuracy, weighted_cross_entropy


class Pairs(Objective):
    """L = −log softmax(logits)[label], the batch mean, for two kinds of pairs.

    A subclass gives `heads` with one head; the loss has the head's name.
    """

    def losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the mean loss of the batch.

        Args:
            outputs: The model's outputs, with "NAME_logits" [B,2].
            features: The batch, with "pair_labels" int32 [B].

        Returns:
            {name: a float32 scalar}.
        """
        return {name: weighted_cross_entropy(*_logits_and_labels(name, outputs, features))
                for name in self.heads}

    def accuracies(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the share of the pairs that are classified correctly.

        Args:
            outputs: The model's outputs, with "NAME_logits" [B,2].
            features: The batch, with "pair_labels" int32 [B].

        Returns:
            {"NAME_accuracy": a float32 scalar}.
        """
        return {f"{name}_accuracy": weighted_accuracy(*_logits_and_labels(name, outputs, features))
                for name in self.heads}


class NSP(Pairs):
    """L = −log softmax(logits)[label], label 1 where the second text is a random one (Devlin et al. 2018, section 3.1).

    Example:
        >>> list(NSP().heads)
        ['nsp']
    """

    heads = {"nsp": HeadConfig()}
    weights = {"nsp": 1.0}
    arrange = staticmethod(next_sentence)


class SOP(Pairs):
    """L = −log softmax(logits)[label], label 1 where two consecutive texts are swapped (Lan et al. 2019, section 3.1).

    Example:
        >>> list(SOP().heads)
        ['sop']
    """

    heads = {"sop": HeadConfig()}
    weights = {"sop": 1.0}
    arrange = staticmethod(sentence_order)


def _logits_and_labels(name, outputs, features):
    """Return (logits [B,2], labels [B], weights [B], all 1)."""
    return outputs[f"{name}_logits"], features["pair_labels"], ops.ones_like(features["pair_labels"])
