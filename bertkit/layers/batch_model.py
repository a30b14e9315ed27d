"""Models whose input is a batch, {name: array}."""

import keras

USUAL = ("token_ids", "segment_ids", "padding_mask")     # what a tokenizer gives


class BatchModel(keras.Model):
    """A model that is called with a batch, {name: array}; subclasses say in `checked` what they read."""

    def __init__(self, **options):
        super().__init__(**options)
        self.called_with = ()                   # (name, number of axes, dtype) of the entries of the last call

    def checked(self, inputs: dict) -> dict:
        """Return a batch as this model computes with it; raises `BatchError` where it cannot read it."""
        raise NotImplementedError

    def __call__(self, inputs, **options):
        inputs = self.checked(inputs)
        self.called_with = tuple((name, len(value.shape), keras.backend.standardize_dtype(value.dtype))
                                 for name, value in inputs.items() if hasattr(value, "shape"))
        return super().__call__(inputs, **options)

    def export(self, filepath, format="tf_saved_model", verbose=None, input_signature=None, **options):
        """Keras' `export`; without an `input_signature` it is that of the last call, rows of any number and length.

        Entries by layer ("mems", "buckets", "random_blocks") are left out.
        """
        called_with = self.called_with or tuple((name, 2, "int32") for name in USUAL)
        signature = {name: keras.InputSpec(dtype=dtype, shape=(None,) * axes, name=name)
                     for name, axes, dtype in called_with}
        return super().export(filepath, format, verbose, input_signature or [signature], **options)
