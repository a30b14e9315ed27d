"""Load a SavedModel and ask its signatures, knowing tensorflow and tensorflow_text alone: run as a script.

    python -P reload.py FOLDER ASKED.npz ANSWERED.npz

ASKED holds arrays named signature/input; ANSWERED gets every output, named signature/output.
"""

import sys


def main(folder: str, asked: str, answered: str) -> None:
    """Write what the signatures of a SavedModel give for inputs.

    Args:
        folder: The folder of the SavedModel.
        asked: A .npz file of inputs, named signature/input.
        answered: The .npz file of outputs to write, named signature/output.
    """
    import numpy as np
    import tensorflow as tf
    import tensorflow_text  # noqa: F401  registers the operations of the tokenizer
    model, inputs, outputs = tf.saved_model.load(folder), {}, {}
    for name, values in np.load(asked).items():
        signature, key = name.split("/")
        values = values.tolist() if values.dtype.kind == "U" else values
        inputs.setdefault(signature, {})[key] = tf.constant(values)
    for signature, tensors in inputs.items():
        outputs |= {f"{signature}/{name}": tensor.numpy()
                    for name, tensor in model.signatures[signature](**tensors).items()}
    np.savez(answered, **{name: values.astype("U") if values.dtype == object else values
                          for name, values in outputs.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
