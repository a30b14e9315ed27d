"""An encoder and its objectives as one model for `fit()`."""

import keras


class Pretrainer(keras.Model):
    """Minimise the sum of the objectives' losses: `Pretrainer(encoder, [MLM(tokenizer)]).fit(dataset)`.

    `dataset` gives feature dicts; `corrupt` of each objective is mapped over them by `prepare`. Pre-train with rates of
    dropout as the config says (0.1 in the paper).
    """

    def __init__(self, encoder, objectives, **options):
        super().__init__(**options)
        self.encoder, self.objectives = encoder, list(objectives)
        self.parts = [objective.build_head(encoder) for objective in self.objectives]
        self.built = True

    def prepare(self, dataset):
        """Return the dataset with every objective's corruption done, in the input pipeline."""
        for objective in self.objectives:
            dataset = dataset.map(objective.corrupt, num_parallel_calls=2)
        return dataset.prefetch(4)

    def call(self, features, training=None):
        found = self.encoder(features, training=training)
        return {objective.name: part(found, inputs=features, training=training)
                for objective, part in zip(self.objectives, self.parts, strict=True)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return sum(objective.loss(y_pred[objective.name], x) for objective in self.objectives)
