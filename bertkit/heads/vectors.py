"""What a classifier's last, linear layer reads: the vector of each text."""

from typing import Any

import keras

from bertkit.layers.batch_model import BatchModel


@keras.saving.register_keras_serializable("bertkit")
class HeadVectors(BatchModel):
    """The vectors that the logits of a classifier are a linear function of; call(batch) -> [B,D].

    It shares the layers of the classifier, and has no weights of its own.

    Args:
        classifier: A `Classifier`.
        **options: Further arguments of `keras.Model`.
    """

    each_token = grouped = together = False

    def __init__(self, classifier: Any, **options: Any) -> None:
        super().__init__(**options)
        self.classifier = classifier
        self.built = True

    def check_batch(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Check a batch, as the classifier does.

        Args:
            inputs: A batch, {name: list, array or tensor}.

        Returns:
            The batch as the classifier computes with it.

        Raises:
            BatchError: when the classifier cannot read it.
        """
        return self.classifier.check_batch(inputs)

    def call(self, inputs: dict[str, Any], training: bool | None = None) -> Any:
        """Compute the vectors of a batch.

        Args:
            inputs: The batch.
            training: Whether dropout is applied; None leaves it to Keras.

        Returns:
            float [B,D].
        """
        outputs, inputs = self.classifier.encoded(inputs, training)
        return self.classifier.heads["classify"].vectors(outputs, inputs, training)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` needs to make this object again.

        Returns:
            A dict of JSON values.
        """
        return {**super().get_config(), "classifier": keras.saving.serialize_keras_object(self.classifier)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> "HeadVectors":
        """Make a model from the values of `get_config`.

        Args:
            config: The dict that `get_config` gives.
            custom_objects: {registered name: class} of objects that Keras does not know.

        Returns:
            A new model, without the weights.
        """
        classifier = keras.saving.deserialize_keras_object(config["classifier"], custom_objects)
        return cls(**{**config, "classifier": classifier})
