"""What a classifier's last, linear layer reads: the vector of each text."""

from typing import Any

from bertkit.layers.batch_model import BatchModel


class HeadVectors(BatchModel):
    """The vectors that the logits of a classifier are a linear function of; call(batch) -> [B,D].

    It shares the layers of the classifier, has no weights of its own, and is made where it is needed, never saved.

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
