"""Whether two texts belong together: next-sentence prediction and sentence order."""

from keras import ops

from bertkit.corpus.rows import next_sentence, sentence_order
from bertkit.kinds import Readout
from bertkit.objectives.objective import Objective, guessed, right


class NSP(Objective):
    """L = −log softmax(logits)[label], label 1 where the second text is a random one (Devlin et al. 2018, 3.1)."""

    heads = {"nsp": Readout()}
    weights = {"nsp": 1.0}
    arrange = staticmethod(next_sentence)

    def losses(self, outputs, features):
        """Return the batch mean."""
        return {"nsp": _two_classes(outputs["nsp_logits"], features["pair_labels"])}

    def accuracies(self, outputs, features):
        """Return the share of pairs that were told right."""
        return {"nsp_accuracy": _told(outputs["nsp_logits"], features["pair_labels"])}


class SOP(Objective):
    """L = −log softmax(logits)[label], label 1 where two consecutive texts are swapped (Lan et al. 2019, 3.1)."""

    heads = {"sop": Readout()}
    weights = {"sop": 1.0}
    arrange = staticmethod(sentence_order)

    def losses(self, outputs, features):
        """Return the batch mean."""
        return {"sop": _two_classes(outputs["sop_logits"], features["pair_labels"])}

    def accuracies(self, outputs, features):
        """Return the share of pairs that were told right."""
        return {"sop_accuracy": _told(outputs["sop_logits"], features["pair_labels"])}


def _two_classes(logits, labels):
    return guessed(logits, labels, ops.ones_like(labels))


def _told(logits, labels):
    return right(logits, labels, ops.ones_like(labels))
