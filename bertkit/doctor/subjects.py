"""What is examined, as one callable: numpy in, numpy out, under the names of the contract."""

import contextlib
import inspect
import random
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, overload

import numpy as np

from bertkit.doctor.settings import plain_name
from bertkit.errors import Error

INPUTS = {"input_ids": "token_ids", "attention_mask": "padding_mask", "token_type_ids": "segment_ids"}
OUTPUTS = {"sequence_output": "sequence", "last_hidden_state": "sequence", "pooled_output": "pooled",
           "pooler_output": "pooled", "hidden_states": "hidden", "prediction_logits": "mlm_logits",
           "token_logits": "mlm_logits", "mlm": "mlm_logits"}
NAMES = ("sequence", "pooled", "logits", "mlm_logits")
LISTS = ("hidden", "attentions")


class Subject:
    """A subject as `subject(batch)` -> {name: float array}.

    Args:
        call: `call(batch)`, int [B,T] each -> outputs of any form that is understood.
        kind: keras, torch or callable.
        takes: The names of a batch that it reads; None where that is not known.

    Raises:
        Error: Never by itself; a call raises what `call` raises.
    """

    def __init__(self, call: Callable[[Mapping[str, np.ndarray]], Any], kind: str = "callable",
                 takes: frozenset[str] | None = None) -> None:
        self.call, self.kind, self.takes = call, kind, takes

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, Any]:
        copied = {name: np.array(value, "int32") for name, value in batch.items()}
        return named(self.call(copied))

    @overload
    @classmethod
    def of(cls, subject: None) -> None: ...

    @overload
    @classmethod
    def of(cls, subject: Any) -> "Subject": ...

    @classmethod
    def of(cls, subject: Any) -> "Subject | None":
        """Return a subject of any kind as a `Subject`.

        Args:
            subject: A callable, a Keras model, a torch module, a `Subject`, or None.

        Returns:
            The `Subject`; None for None.

        Raises:
            Error: When it is none of these.
        """
        if subject is None or isinstance(subject, cls):
            return subject
        if is_torch(subject):
            return _of_torch(subject)
        if is_keras(subject):
            return _of_keras(subject)
        if not callable(subject):
            raise Error(f"A subject of type {type(subject).__name__} cannot be called; give a model or a function.")
        return cls(subject)


def is_torch(subject: Any) -> bool:
    """Return whether a subject is a module of PyTorch, without importing it.

    Args:
        subject: Anything.

    Returns:
        True or False.
    """
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(subject, torch.nn.Module)


def is_keras(subject: Any) -> bool:
    """Return whether a subject is a layer or model of Keras, without importing it.

    Args:
        subject: Anything.

    Returns:
        True or False.
    """
    keras = sys.modules.get("keras")
    return keras is not None and isinstance(subject, keras.layers.Layer)


def _of_torch(module):
    """Return a module with the signature of transformers; it is called as it is, without gradients."""
    torch = sys.modules["torch"]
    accepted = inspect.signature(module.forward).parameters
    taken = {theirs: ours for theirs, ours in INPUTS.items() if theirs in accepted}
    if "input_ids" not in taken:
        raise Error(f"{type(module).__name__}.forward takes {', '.join(accepted)}; wanted input_ids, attention_mask "
                    "as in transformers. Give a function of a batch instead.")
    device = next((parameter.device for parameter in module.parameters()), None)

    def call(batch):
        with torch.no_grad():
            return module(**{theirs: torch.as_tensor(batch[ours], device=device).long() for theirs,
                             ours in taken.items()})
    return Subject(call, "torch", frozenset(taken.values()))


def _of_keras(model):
    """Return a Keras model, called for inference; a functional one gets the inputs that it names."""
    wanted = getattr(model, "input", None) if hasattr(model, "_functional") or hasattr(model, "inputs") else None
    taken = frozenset(wanted) if isinstance(wanted, dict) else None

    def call(batch):
        given = batch if taken is None else {name: batch[name] for name in batch if name in taken}
        return model(given, training=False)
    return Subject(call, "keras", taken)


def named(outputs: Any) -> dict[str, Any]:
    """Return outputs under the names of the contract.

    Args:
        outputs: An array [B,T,D] of any dtype, a mapping or an object with `items`, or a tuple (sequence, pooled).

    Returns:
        {name: float array, or list of them}; what has another name is left out.
    """
    if isinstance(outputs, tuple) and not hasattr(outputs, "items"):
        outputs = dict(zip(("sequence", "pooled"), outputs, strict=False))
    items = outputs if hasattr(outputs, "items") else {"sequence": outputs}
    found = {}
    for name, value in items.items():
        name = OUTPUTS.get(name, name)
        if value is None or name not in (*NAMES, *LISTS):
            continue
        found[name] = [_array(each) for each in value] if name in LISTS else _array(value)
    return found


def _array(value):
    """Return a tensor of any library as a float array of numpy."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().float().numpy()
    array = np.asarray(value)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def own_weights(subject: Any) -> dict[str, np.ndarray] | None:
    """Return the weights that a subject brings itself.

    Args:
        subject: A subject of any kind.

    Returns:
        {name under Hugging Face names: float array of the tensor's shape} of a module of transformers or a model of
        bertkit's; None of others.
    """
    if is_torch(subject) and hasattr(subject, "config"):
        return {name: value.detach().cpu().float().numpy() for name, value in subject.state_dict().items()
                if value.dtype.is_floating_point}
    home = sys.modules.get("bertkit.encoder")
    if home is not None and isinstance(getattr(subject, "encoder", subject), home.Encoder):
        return weights_of(subject)
    return None


def weights_of(model: Any) -> dict[str, np.ndarray]:
    """Return the weights of a model of bertkit's under Hugging Face names.

    Args:
        model: An `Encoder`, or a head of bertkit's on one.

    Returns:
        {name: array of the tensor's shape and the weight's dtype}. The projection of embeddings that are narrower than
        the blocks, for which Hugging Face's BERT has no place, stands under the name that ELECTRA's has.

    Raises:
        Error: When another weight has no name there.
    """
    from bertkit.checkpoints.huggingface import tensors
    return tensors(model, {"encoder/embeddings/projection": "embeddings_project"})


def rebuilt(build: Callable[..., Any] | None, weights: Mapping[str, np.ndarray] | None,
            config: Mapping[str, Any]) -> Callable[[Mapping[str, np.ndarray]], Subject] | None:
    """Return `build` for weights under the names of a bare encoder.

    Args:
        build: `build(weights)` -> subject, for weights under the names that were given; or None.
        weights: The weights {name: array of any shape and dtype} as they were given; or None.
        config: The entries of config.json.

    Returns:
        `build(weights)` of float arrays of the same shapes -> `Subject`; None without `build` or weights.

    Raises:
        Error: Later, when `build` returns None.
    """
    if build is None or weights is None:
        return None
    given = {plain_name(name, config): (name, np.asarray(value).dtype) for name, value in weights.items()}

    def make(plain):
        subject = Subject.of(build({name: np.asarray(plain[key], kind) for key, (name, kind) in given.items()}))
        if subject is None:
            raise Error("build(weights) returned None; it should return a subject.")
        return subject
    return make


@contextlib.contextmanager
def undisturbed(*subjects: Any) -> Iterator[None]:
    """Leave random states, modes and what is not trained of subjects as they were.

    Args:
        *subjects: Subjects of any kind, or None.

    Yields:
        Nothing.
    """
    torch = sys.modules.get("torch")
    states = random.getstate(), np.random.get_state(), torch.get_rng_state() if torch else None
    kept = [(variable, np.array(variable)) for each in subjects if is_keras(each) and each.built
            for variable in each.non_trainable_variables if variable.trainable is False
            and variable.shape in ((), (2,))]
    modes = [(module, module.training) for each in subjects if is_torch(each) for module in each.modules()]
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        if torch and states[2] is not None:
            torch.set_rng_state(states[2])
        for variable, value in kept:
            variable.assign(value)
        for module, mode in modes:
            module.training = mode
