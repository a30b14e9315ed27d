"""Models that leave out of training what none of their outputs depends on."""

from typing import Any

import keras


class FreezesUnreadLayers(keras.Model):
    """A model that leaves the weights of `unread` layers out of training, without a change to those layers.

    Such weights get no gradient. An encoder is handed in and may be shared with other models, so its `trainable`
    switches stay as its owner set them.
    """

    @property
    def unread_layers(self) -> tuple[Any, ...]:
        """Layers inside this model that no output depends on."""
        return ()

    @property
    def trainable_variables(self) -> list[Any]:
        """The variables that training changes; those of unread layers are not among them."""
        return self._without_unread(super().trainable_variables)

    @property
    def trainable_weights(self) -> list[Any]:
        """The weights that training changes; those of unread layers are not among them."""
        return self._without_unread(super().trainable_weights)

    @property
    def non_trainable_variables(self) -> list[Any]:
        """The variables that training leaves alone; those of unread layers are among them."""
        return _without(self.variables, self.trainable_variables)

    @property
    def non_trainable_weights(self) -> list[Any]:
        """The weights that training leaves alone; those of unread layers are among them."""
        return _without(self.weights, self.trainable_weights)

    def _without_unread(self, variables):
        return _without(variables, [weight for layer in self.unread_layers for weight in layer.weights])


def _without(variables, others):
    left_out = {id(variable) for variable in others}
    return [variable for variable in variables if id(variable) not in left_out]
