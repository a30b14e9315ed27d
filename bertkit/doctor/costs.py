"""The check of cost: what the encoder holds and computes against the closed form."""

import time

import numpy as np

from bertkit import family
from bertkit.config import EncoderConfig
from bertkit.cost import cost as closed_form
from bertkit.doctor.answers import ask
from bertkit.doctor.case import Case
from bertkit.doctor.finding import Measured, healthy, needs, suspect
from bertkit.doctor.parts import places
from bertkit.doctor.probes import longest, rows, settings_of
from bertkit.doctor.settings import POSTNORM
from bertkit.family import entries


def encoder_config(case: Case) -> EncoderConfig:
    """Return the `EncoderConfig` of a case.

    Args:
        case: The case.

    Returns:
        What its config.json describes.

    Raises:
        Error: When its entries describe no encoder of bertkit's families.
    """
    values = dict(case.config)
    page = family.of_huggingface(values)
    form = page.HUGGINGFACE
    ours = {name: values[key] for name, key in form.config.items() if key in values}
    if "activation" in ours:
        ours["activation"] = entries.activation(values, form.config["activation"], default=None)
    config = page.CONFIG.but(**ours | form.read(values))
    narrow = values.get("embedding_size")           # an entry that BERT's own config.json has not
    own = config.embedding_dim is None and narrow and f"{places(settings_of(case))['projection']}.weight" in (
        case.weights or {})
    return config.but(embedding_dim=narrow) if own else config


def cost(case: Case) -> Measured:
    """Judge parameters against the closed form of `bertkit.cost`, and measure one row.

    Args:
        case: The case.

    Returns:
        The verdict; suspect where the weights hold more or fewer parameters than the config says.
    """
    if case.subject is None and case.weights is None:
        return needs("a subject or weights")
    length = min(128, longest(case))
    wanted = closed_form(encoder_config(case), length)
    numbers = {f"expected_{name}": value for name, value in wanted.items()}
    if case.subject is not None:
        numbers["seconds_for_a_row"], numbers["tokens"] = _seconds(case, length), length
    if case.weights is None or settings_of(case).family not in POSTNORM:
        return healthy("", **numbers)
    held, pooler = _parameters(case)
    numbers["parameters"] = held
    near = {wanted["parameters"], wanted["parameters"] - pooler, wanted["parameters"] + pooler}
    missing = wanted["parameters"] - _pooler(case)
    if held in near or held == missing:
        return healthy("", **numbers)
    return suspect("The weights of the encoder hold another number of parameters than its config says.", **numbers)


def _seconds(case, length):
    """Return the shortest of three calls with one row."""
    batch, times = rows(case, [length], key=20), []
    for _ in range(3):
        start = time.perf_counter()
        ask(case, batch)
        times.append(time.perf_counter() - start)
    return min(times)


def _parameters(case):
    """Return the parameters of the encoder's tensors, and those of the pooler among them."""
    where = places(settings_of(case))
    heads = {where.pop(name) for name in ("transform", "transform_norm", "bias", "decoder")}
    stems = set(where.values()) - heads
    sizes = {name: int(np.size(value)) for name, value in case.weights.items() if name.rpartition(".")[0] in stems}
    return sum(sizes.values()), sum(size for name, size in sizes.items() if name.startswith(where["pooler"]))


def _pooler(case):
    """Return the parameters that a pooler of this width has."""
    wide = settings_of(case).hidden
    return wide * wide + wide
