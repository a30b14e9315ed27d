"""Models whose input is a batch, {name: array}."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from bertkit.errors import BatchError

USUAL = ("token_ids", "segment_ids", "padding_mask")     # what a tokenizer gives
LAYERED = ("mems", "buckets", "random_blocks")           # entries that hold one array for each layer


class BatchModel(keras.Model):
    """A model that is called with a batch, {name: array}; subclasses define in `check_batch` what they read.

    Args:
        **options: Further arguments of a Keras layer: `name`, `dtype`, `trainable`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        # (name, number of axes, dtype) of the entries of the last call
        self.called_with: tuple[tuple[str, int, str], ...] = ()

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, and make arrays of its lists.

        Args:
            inputs: A batch, {name: list, array or tensor}.

        Returns:
            The batch as this model computes with it.

        Raises:
            BatchError: when the model cannot read it.
        """
        raise NotImplementedError

    def __call__(self, inputs: Any, *others: Any, **options: Any) -> Any:
        if others:
            raise BatchError(f"{others[0]!r:.40} came behind the batch; a model takes one batch, and what else by "
                             "name, such as training=True.")
        inputs = self.check_batch(inputs)
        self.called_with = tuple((name, len(value.shape), keras.backend.standardize_dtype(value.dtype))
                                 for name, value in inputs.items() if hasattr(value, "shape"))
        return super().__call__(inputs, **options)

    def predict(self, x: Any, *arguments: Any, **options: Any) -> Any:
        """Return the outputs for rows, as `keras.Model.predict` does; for no rows, outputs without rows.

        Args:
            x: A batch, {name: array [B,...]}, or what else Keras takes, such as a dataset.
            *arguments: Further arguments of `keras.Model.predict`.
            **options: Further arguments of `keras.Model.predict`.

        Returns:
            Arrays [B,...], as the model gives them.
        """
        if isinstance(x, dict) and x and all(len(value) == 0 for value in x.values() if hasattr(value, "__len__")):
            return self.predict_on_batch(x)
        return super().predict(x, *arguments, **options)

    def export(self, filepath: str | Path, format: str = "tf_saved_model", verbose: bool | None = None,
               input_signature: Any = None, **options: Any) -> Any:
        """Write the model to a file, as `keras.Model.export` does.

        Without an `input_signature` it is that of the last call, with rows of any number and length. Entries by layer
        ("mems", "buckets", "random_blocks") are left out. Outputs by layer have a number each, "mems_0" and so on.

        Args:
            filepath: The path to write to.
            format: The format, one that Keras knows.
            verbose: Whether Keras prints a message; None leaves it to Keras.
            input_signature: The shapes and dtypes of the inputs.
            **options: Further arguments of `keras.Model.export`.

        Returns:
            What Keras returns.
        """
        called_with = self.called_with or tuple((name, 2, "int32") for name in USUAL)
        signature = {name: keras.InputSpec(dtype=dtype, shape=(None,) * axes, name=name)
                     for name, axes, dtype in called_with}
        return _Served(self).export(filepath, format, verbose, input_signature or [signature], **options)


def flatten_groups(inputs: dict[str, Any]) -> dict[str, Any]:
    """Make one row of each text of a batch that holds several texts an example.

    Args:
        inputs: A batch, entries [B,g,T].

    Returns:
        The batch with entries [B·g,T]; those by layer are as they were, and those that are None are left out.

    Example:
        >>> tuple(flatten_groups({"token_ids": ops.ones((2, 4, 3), "int32")})["token_ids"].shape)
        (8, 3)
    """
    return {name: value if name in LAYERED else ops.reshape(value, (-1, ops.shape(value)[-1]))
            if not hasattr(value, "reshape") else value.reshape(-1, value.shape[-1])
            for name, value in inputs.items() if value is not None}


class _Served(keras.Model):
    """A model whose outputs are tensors alone, as a SavedModel wants them: each of a list has a name of its own."""

    def __init__(self, model):
        super().__init__(name=model.name)
        self.model, self.built = model, True

    def call(self, inputs):
        outputs = self.model(inputs)
        if not isinstance(outputs, dict):
            return outputs
        single = {}
        for name, value in outputs.items():
            if isinstance(value, list):
                digits = len(str(len(value) - 1))           # so that they stay in order by name
                single |= {f"{name}_{number:0{digits}d}": part for number, part in enumerate(value)}
            else:
                single[name] = value
        return single
