"""Other implementations with the same weights: bertkit's own encoder, and transformers where it is installed."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bertkit import family
from bertkit.doctor.case import Batch, Case, Outputs
from bertkit.doctor.comparison import Gap, gap, limit_of
from bertkit.doctor.costs import encoder_config
from bertkit.doctor.finding import Measured, does_not_apply, healthy, ill, needs
from bertkit.doctor.probes import probes
from bertkit.doctor.subjects import Subject
from bertkit.kinds import Tanh

# Subjects of these kinds are computed by bertkit's encoder already.
OWN = ("bundle", "huggingface", "google", "preset")


def peers(case: Case) -> Measured:
    """Judge that transformers gives the same answers with the same config and weights.

    Args:
        case: The case.

    Returns:
        The verdict; unknown where torch or transformers is not installed. keras-hub is not compared: its BERT computes
        the tanh form of GELU whatever the config says, and its RoBERTa counts positions from 0.
    """
    if case.subject is None or case.weights is None:
        return needs("a subject and weights")
    if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
        return needs("torch and transformers to be installed")
    try:
        peer = _of_transformers(case)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        return does_not_apply(f"transformers builds no encoder of this config and these weights ({str(error)[:120]})")
    found, where = compared(case, peer)
    numbers = {"difference": found.share, "limit": limit_of(case), "where": where}
    return healthy("", **numbers) if found.share <= limit_of(case) else ill(
        "transformers gives other answers with the same config and weights.", **numbers)


def _of_transformers(case):
    """Return transformers' bare encoder with the weights of a case."""
    torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    values = {name: value for name, value in case.config.items() if name != "model_type"}
    config = transformers.AutoConfig.for_model(case.config["model_type"], **values)
    state = torch.get_rng_state()
    module = transformers.AutoModel.from_config(config, attn_implementation="eager").eval()
    torch.set_rng_state(state)
    tensors = {name: torch.tensor(np.asarray(value, np.float32)) for name, value in case.weights.items()}
    missing = [name for name in module.load_state_dict(tensors, strict=False).missing_keys
               if not name.startswith("pooler")]
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    return _always_as_configured(module)


def _always_as_configured(module):
    """Return transformers' encoder as a function of a batch alone: a short row leaves BigBird with full attention."""
    subject, kind = Subject.of(module), getattr(module.config, "attention_type", None)

    def answer(batch):
        if hasattr(module, "set_attention_type"):
            module.set_attention_type(kind)
        return subject(batch)

    return answer


def own(case: Case) -> Subject | None:
    """Return bertkit's own encoder with the weights of a case.

    Args:
        case: A case with weights.

    Returns:
        The encoder as a subject; None where the subject is bertkit's own.

    Raises:
        Error: When the config and the weights do not belong together.
    """
    if case.kind in OWN or case.weights is None:
        return None
    from bertkit.checkpoints.huggingface import LEAVES
    from bertkit.checkpoints.tensors import Tensors, assign, encoder_for, variables, weight_mapping
    form, config, weights = family.of_huggingface(dict(case.config)).HUGGINGFACE, encoder_config(case), case.weights
    if isinstance(config.pooler, Tanh) and f"{form.names.get('encoder/pooler')}.weight" not in weights:
        config = config.but(pooler=None)
    tensors = Tensors(Path("weights"), {name: np.shape(value) for name, value in weights.items()},
                      lambda name: np.asarray(weights[name]))
    encoder = encoder_for(config, tensors)
    assign(encoder, tensors, weight_mapping(variables(encoder), form.names, LEAVES, transposed=True),
           unused=form.unused,
           ignored=form.ignored)
    return Subject.of(encoder)


def compared(case: Case, peer: Callable[[Batch], Outputs]) -> tuple[Gap, str]:
    """Compare the subject with another implementation.

    Args:
        case: The case, with a subject.
        peer: The other implementation.

    Returns:
        The largest `Gap`, and the inputs and output that show it.

    Raises:
        Exception: What one of them raises.
    """
    assert case.subject is not None
    worst, where = Gap(-1.0), ""
    for what, batch in probes(case).items():
        found = gap(case.subject(batch), peer(batch), batch)
        if not found.share <= worst.share:
            worst, where = found, f"{what}, {found.where} {found.said}".strip()
    return worst, where
