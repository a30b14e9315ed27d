"""Faults of a block: activation, residual, and the order and weights of layers."""

from functools import partial

from bertkit.doctor.curves import ALIASES, CURVES
from bertkit.doctor.faults import Faults, Mutant
from bertkit.doctor.reference import Encoder
from bertkit.doctor.settings import Settings


def faults(settings: Settings) -> Faults:
    """Return the faults of blocks.

    Args:
        settings: The encoder's `Settings`.

    Yields:
        Mutants of `activation`, `residual` and `layers`.
    """
    yield from _activations(settings)
    yield from _residuals(settings.layers * settings.repeated - 1)
    yield from _layers(settings)
    yield from _unnamed()


def _unnamed():
    """Yield faults that no check of the contract has for its own: only `reference` tells of them."""
    def unbiased(parts):
        return {"linear": lambda self, x, name: self.product(x, name) if name.startswith("layer.")
                and name.rpartition(".")[2] in parts else Encoder.linear(self, x, name)}

    for parts in (("inner",), ("outer",), ("inner", "outer")):
        yield Mutant("reference", f"leaves out the bias of {' and '.join(parts)} of the feed-forward network",
                     unbiased(parts))


def _activations(settings):
    right = ALIASES.get(settings.activation, settings.activation)
    other = "gelu" if right == "gelu_new" else "gelu_new"
    for name, function in CURVES.items():
        if name != right:
            methods = {"activation": lambda self, x, function=function: function(x)}
            yield Mutant("activation", f"computes {name}, not {right}", methods, telling=name == other)
            if settings.head_activation == settings.activation:
                yield Mutant("activation", f"computes {name}, not {right}, in the masked-language head too",
                             {**methods, "head_activation": methods["activation"]})
    yield Mutant("activation", f"applies {right} a second time", {
        "feed": lambda self, x, i: self.activation(Encoder.feed(self, x, i))})
    yield Mutant("activation", f"applies {right} after attention too", {
        "attend": lambda self, x, seen, i: self.activation(Encoder.attend(self, x, seen, i))})


def _residuals(last):
    def names(i):
        return f"layer.{i}.attention_norm", f"layer.{i}.output_norm"

    def pre(self, x, seen, i):
        first, second = names(i)
        x = x + self.attend(self.norm(x, first), seen, i)
        return x + self.feed(self.norm(x, second), i)

    def late(self, x, seen, i):
        x = pre(self, x, seen, i)
        return self.norm(x, "norm") if i == last else x

    def bare(self, ids, mask, segments):
        return self.project(self.word(ids) + self.position(ids, mask) + self.segment(segments))

    def after(self, x, seen, i):
        first, second = names(i)
        x = x + self.norm(self.attend(x, seen, i), first)
        return x + self.norm(self.feed(x, i), second)

    def parallel(self, x, seen, i):
        first, second = names(i)
        return self.norm(self.norm(x + self.attend(x, seen, i), first) + self.feed(x, i), second)

    def together(self, x, seen, i):
        first, second = names(i)
        return self.norm(x + self.attend(x, seen, i) + self.feed(x, i), second)

    def from_input(self, x, seen, i):
        first, second = names(i)
        inside = self.norm(x + self.attend(x, seen, i), first)
        return self.norm(x + self.feed(inside, i), second)

    def normed_residual(self, x, seen, i):
        first, second = names(i)
        x = self.norm(x, first)
        x = x + self.attend(x, seen, i)
        x = self.norm(x, second)
        return x + self.feed(x, i)

    yield Mutant("residual", "normalises before attention and feed-forward network (pre-norm)", {"block": pre},
                 telling=True)
    yield Mutant("residual", "normalises before attention and feed-forward network (pre-norm), and once at the end in "
                 "place of the embeddings", {"block": late, "embed": bare})
    yield Mutant("residual", "adds the norm of what attention and feed-forward network return", {"block": after})
    yield Mutant("residual", "adds what it has normalised, without a norm after it", {"block": normed_residual})
    yield Mutant("residual", "gives the feed-forward network the input of attention", {"block": parallel})
    yield Mutant("residual", "runs attention and feed-forward network side by side", {"block": together})
    yield Mutant("residual", "adds the block's input after the feed-forward network", {"block": from_input})
    for what, first, second in (("after attention", 0.0, 1.0), ("after the feed-forward network", 1.0, 0.0),
                                ("anywhere", 0.0, 0.0)):
        yield Mutant("residual", f"adds no residual {what}", _scaled(first, second))
    for what, first, second in (("after attention", 1, 0), ("after the feed-forward network", 0, 1),
                                ("everywhere", 1, 1)):
        yield Mutant("residual", f"multiplies the residual {what}", {},
                     range=(0.05, 20.0, partial(_powers, first, second)))


def _powers(first, second, value):
    """Return a block with residuals that are multiplied by a number, or not."""
    return _scaled(value ** first, value ** second)


def _scaled(first, second):
    """Return a block whose two residuals are multiplied."""
    def block(self, x, seen, i):
        x = self.norm(x * first + self.attend(x, seen, i), f"layer.{i}.attention_norm")
        return self.norm(x * second + self.feed(x, i), f"layer.{i}.output_norm")
    return {"block": block}


def _layers(settings):
    """Yield other orders of layers; one layer in another's place."""
    count = settings.layers * settings.repeated
    right = list(range(count))
    orders = {"applies the layers in the order of their names as strings: " + ", ".join(sorted(map(str,
                                                                                                   right))[:5]) + " …":
              sorted(right, key=str), "applies the layers backwards": right[::-1],
              "applies the layers one too early": [*right[1:], 0],
              "applies the layers one too late": [count - 1, *right[:-1]]}
    orders |= {f"uses layer {i} in the place of every layer": [i] * count
               for i in (right if count <= 12 else (0, count - 1))}
    orders |= {f"leaves out layer {i}": right[:i] + right[i + 1:] for i in right}
    orders |= {f"applies layer {i} twice": right[:i] + [i] + right[i:] for i in right}
    orders |= {f"exchanges layers {i} and {i + 1}": [*right[:i], i + 1, i, *right[i + 2:]] for i in right[:-1]}
    orders |= {f"uses layer {i} in the place of layer {i + 1}": [*right[:i + 1], i, *right[i + 2:]] for i in right[:-1]}
    orders |= {f"uses layer {i + 1} in the place of layer {i}": [*right[:i], i + 1, *right[i + 1:]] for i in right[:-1]}
    orders |= {f"stops after {n} layers": right[:n] for n in range(count - 1)}
    orders["exchanges the first and the last layer"] = [count - 1, *right[1:-1], 0]
    orders["applies even layers before odd ones"] = right[::2] + right[1::2]
    orders["applies all layers twice"] = right * 2
    for what, order in orders.items():
        if order != right:
            yield Mutant("layers", what, {"order": lambda self, order=tuple(order): order},
                         what == "applies the layers backwards")
