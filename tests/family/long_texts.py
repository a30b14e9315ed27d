"""Every recorded call of the families for long texts, whose batches hold more than the others' do."""

import re

import numpy as np

from bertkit import checkpoints
from bertkit.encoder import Encoder

INPUTS = {"input_ids": "token_ids", "token_type_ids": "segment_ids", "attention_mask": "padding_mask",
          "position_ids": "position_ids", "global_attention_mask": "global_mask"}
OUTPUTS = {"last_hidden_state": "sequence", "pooler_output": "pooled", "prediction_logits": "mlm_logits",
           "seq_relationship_logits": "nsp_logits"}
FAR = 1e5                                              # what is lowered by 10^6 is that low in both


def read(path):
    """Return (batch, {our name: reference}) of a ref_*.npz; hidden states without the reference's padding."""
    arrays = dict(np.load(path))
    batch = {INPUTS[key[3:]]: array for key, array in arrays.items() if key[3:] in INPUTS}
    drawn = {int(key.rsplit("layer", 1)[1]): array for key, array in arrays.items() if key.startswith("aux/")}
    if any(array.any() for array in drawn.values()):
        batch["random_blocks"] = drawn
    length, found = batch["token_ids"].shape[-1], {}
    for key in (key for key in arrays if key.startswith("out/") and not re.search(r"loss|attentions", key)):
        name = key[4:]
        hidden = name.startswith("hidden_states")
        found[name.replace("hidden_states.", "hidden/") if hidden else OUTPUTS.get(name, name)] = (
            arrays[key][:, :length] if hidden else arrays[key])
    return batch, found


def computed(model, batch):
    """Return {name: array} of a model's outputs, an encoder's hidden states among them."""
    found = model(batch)
    found = found if isinstance(found, dict) else {"logits": found}
    if isinstance(model, Encoder):                     # traced is the definition, untraced the blocks
        found |= {name: array for name, array in model(batch, trace=True)["trace"].items() if name.startswith("hidden")}
    return {name: np.asarray(array) for name, array in found.items()}


def worst(folder):
    """Return the largest difference of a folder's model from the reference, on real tokens."""
    model, differences = checkpoints.load(folder), []
    for path in sorted(folder.glob("ref_*.npz")):
        batch, wanted = read(path)
        found = computed(model, batch)
        wanted = {name: array for name, array in wanted.items() if isinstance(model, Encoder) or "hidden" not in name}
        assert wanted and set(wanted) <= set(found), path
        real = batch.get("padding_mask", np.ones_like(batch["token_ids"])) > 0
        for name, reference in wanted.items():
            keep = real if reference.shape[:2] == real.shape else real[..., 0]
            ours, theirs = found[name][keep], reference[keep]
            assert (ours[theirs < -FAR] < -FAR).all()
            differences.append(np.abs(ours - theirs)[theirs > -FAR].max())
    assert differences
    return max(differences)
