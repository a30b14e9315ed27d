"""Faults of the pooler and of the masked-language head."""

import numpy as np

from bertkit.doctor.curves import CURVES, gelu
from bertkit.doctor.faults import Faults, Mutant
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings


def faults(settings: Settings) -> Faults:
    """Return the faults of the pooler and of the masked-language head.

    Args:
        settings: The encoder's `Settings`.

    Yields:
        Mutants of `pooler` and `decoder`.
    """
    yield from _poolers()
    yield from _decoders(settings)


def _poolers():
    def dense(pick, end=np.tanh):
        return {"pool": lambda self, x, mask, hidden: end(self.linear(pick(x, mask, hidden), "pooler"))}

    def first(x, mask, hidden):
        return x[:, 0]

    def mean(x, mask, hidden):
        return (x * mask[..., None]).sum(1) / np.maximum(mask.sum(1, keepdims=True), 1)

    def last_real(x, mask, hidden):
        return x[np.arange(len(x)), np.maximum(mask.shape[1] - 1 - np.argmax(mask[:, ::-1] > 0, 1), 0)]

    yield Mutant("pooler", "leaves out the tanh", dense(first, lambda x: x), telling=True)
    yield Mutant("pooler", "returns the first token as it is", {"pool": lambda self, x, mask, hidden: x[:, 0]})
    yield Mutant("pooler", "returns the tanh of the first token",
                 {"pool": lambda self, x, mask, hidden: np.tanh(x[:, 0])})
    for what, end in (("gelu", gelu), ("relu", CURVES["relu"]), ("sigmoid", CURVES["sigmoid"]),
                      ("gelu_new", CURVES["gelu_new"])):
        yield Mutant("pooler", f"applies {what} in place of tanh", dense(first, end))
    yield Mutant("pooler", "applies tanh twice", dense(first, lambda x: np.tanh(np.tanh(x))))
    for what, pick in (("the last token", lambda x, mask, hidden: x[:, -1]), ("the last real token", last_real),
                       ("the second token", lambda x, mask, hidden: x[:, min(1, x.shape[1] - 1)]),
                       ("the mean of real tokens", mean), ("the mean of all tokens", lambda x, mask, hidden: x.mean(1)),
                       ("the largest of each feature", lambda x, mask, hidden: x.max(1)),
                       ("the embeddings", lambda x, mask, hidden: hidden[0][:, 0]),
                       ("the layer before the last", lambda x, mask, hidden: hidden[-2][:, 0])):
        yield Mutant("pooler", f"reads {what}", dense(pick))
        yield Mutant("pooler", f"reads {what}, without the linear map", {
            "pool": lambda self, x, mask, hidden, pick=pick: pick(x, mask, hidden)})
    yield Mutant("pooler", "leaves out the bias", {"pool": lambda self, x, mask, hidden: np.tanh(
        self.product(x[:, 0], "pooler"))})
    yield Mutant("pooler", "uses its kernel transposed", {"pool": lambda self, x, mask, hidden: np.tanh(
        x[:, 0] @ self.weights["pooler.weight"] + self.weights.get("pooler.bias", 0))})


def _decoders(settings):
    def table(self):
        return self.weights["word.weight" if self.tied or "decoder.weight" not in self.weights else "decoder.weight"]

    yield Mutant("decoder", "leaves out the bias of the decoder", {"decode": lambda self, x: x @ table(self).T},
                 telling=True)
    yield Mutant("decoder", "leaves out the transform", {"transform": lambda self, x: x})
    yield Mutant("decoder", "leaves out the norm of the transform", {"transform": lambda self, x: self.head_activation(
        self.linear(x, "transform"))})
    yield Mutant("decoder", "normalises before the activation", {"transform": lambda self, x: self.head_activation(
        self.norm(self.linear(x, "transform"), "transform_norm"))})
    yield Mutant("decoder", "leaves out the bias of the transform", {"transform": lambda self, x: self.norm(
        self.head_activation(self.product(x, "transform")), "transform_norm")})
    yield Mutant("decoder", "uses the kernel of the transform transposed", {"transform": lambda self, x: self.norm(
        self.head_activation(x @ self.weights["transform.weight"] + self.weights["transform.bias"]), "transform_norm")})
    yield Mutant("decoder", "normalises before the linear map", {"transform": lambda self, x: self.head_activation(
        self.linear(self.norm(x, "transform_norm"), "transform"))})
    yield Mutant("decoder", "leaves out the transform's linear map", {"transform": lambda self, x: self.norm(
        self.head_activation(x), "transform_norm")})
    right = CURVES.get(settings.head_activation)
    for name, function in CURVES.items():
        if function is not right:
            yield Mutant("decoder", f"computes {name} in the transform", {
                "head_activation": lambda self, x, function=function: function(x)})
    yield Mutant("decoder", "uses the decoder matrix of the file, not the word table", {"tied": False})
    yield Mutant("decoder", "uses the word table, not the decoder matrix of the file", {"tied": True})
    for value in (settings.hidden ** -0.5, settings.hidden ** 0.5):
        yield Mutant("decoder", f"multiplies the vectors by {value:.4g} before the decoder", {
            "decode": lambda self, x, value=value: Encoder.decode(self, x * value)})
    for value in (1e-3, 1e-5, 1e-6, 1e-7, 1e-12):
        yield Mutant("decoder", f"adds an epsilon of {value:g} in the transform's norm", {
            "epsilon": lambda self, name, value=value: value if name == "transform_norm"
            else Encoder.epsilon(self, name)})
    yield Mutant("decoder", "returns probabilities, not logits", {"decode": _probabilities})


def _probabilities(self, x):
    logits = Encoder.decode(self, x)
    grown = np.exp(logits - logits.max(-1, keepdims=True))
    return grown / grown.sum(-1, keepdims=True)
