"""Whether two texts belong together: next-sentence prediction and sentence order."""

from keras import ops

from bertkit.corpus.rows import next_sentence, sentence_order
from bertkit.kinds import HeadConfig
from bertkit.objectives.objective import Objective, weighted_accuracy, weighted_cross_entropy


class Pairs(Objective):
    """L = −log softmax(logits)[label], the batch mean, for two kinds of pairs; named as its one head."""

    def losses(self, outputs, features):
        """Return the batch mean."""
        return {name: weighted_cross_entropy(*_sides(name, outputs, features)) for name in self.heads}

    def accuracies(self, outputs, features):
        """Return the share of pairs that were told right."""
        return {f"{name}_accuracy": weighted_accuracy(*_sides(name, outputs, features)) for name in self.heads}


class NSP(Pairs):
    """L = −log softmax(logits)[label], label 1 where the second text is a random one (Devlin et al. 2018, 3.1)."""

    heads = {"nsp": HeadConfig()}
    weights = {"nsp": 1.0}
    arrange = staticmethod(next_sentence)


class SOP(Pairs):
    """L = −log softmax(logits)[label], label 1 where two consecutive texts are swapped (Lan et al. 2019, 3.1)."""

    heads = {"sop": HeadConfig()}
    weights = {"sop": 1.0}
    arrange = staticmethod(sentence_order)


def _sides(name, outputs, features):
    """Return (logits [B,2], labels [B], weights [B], all 1)."""
    return outputs[f"{name}_logits"], features["pair_labels"], ops.ones_like(features["pair_labels"])
