"""Train, dev and test of one task, read together so that they agree on labels and shape."""

from bertkit.data.features import featurize
from bertkit.data.readers import label_indices, label_names, read_examples
from bertkit.errors import Error
from bertkit.terminal import say


class Splits:
    """The `Examples` of each file of {"train", "dev", "test": path or None}, and the labels of train.

    `limit` takes the first rows of train only; further options are `read_examples`'. Says how many rows were left out.
    Raises `Error` if train has a single class, if dev or test holds a label that train does not, or if they differ in
    shape: pairs beside single texts, one label a row beside several.
    """

    def __init__(self, paths, columns, limit=None, **options):
        self.paths = {name: path for name, path in paths.items() if path}
        self.examples = {name: read_examples(path, columns.text, columns.second, columns.label,
                                             limit=limit if name == "train" else None, **options)
                         for name, path in self.paths.items()}
        train = self.examples["train"]
        self.pairs = train.second is not None
        self.multi_label = isinstance(train.labels[0], list)
        self.labels = label_names(train)
        for part in self.examples.values():
            self._check_shape(part, train)
        if len(self.labels) < 2 and not self.multi_label:
            raise Error(f"{train.path} has the label {self.labels[0]!r} in all of the {len(train)} rows that were "
                        "read; give rows of two classes or more.")
        self.targets = {name: label_indices(part, self.labels) for name, part in self.examples.items()}

    def _check_shape(self, part, train):
        if part.skipped:
            line, reason = part.skipped[0]
            say(f"{part.path}: left out {len(part.skipped)} of its rows, first that in line {line} ({reason}).")
        if (part.second is not None) != self.pairs:
            raise Error(f"{part.path} has {'single texts' if self.pairs else 'pairs'} where {train.path} has "
                        f"{'pairs' if self.pairs else 'single texts'}; name the columns with --text and --second.")
        if isinstance(part.labels[0], list) != self.multi_label:
            raise Error(f"{part.path} has {'one label' if self.multi_label else 'lists of labels'} a row where "
                        f"{train.path} has {'lists of them' if self.multi_label else 'one'}; write them alike.")

    def features(self, tokenizer, length):
        """Return {split: Features}, each row cut to `length` tokens."""
        return {name: featurize(tokenizer, part.first, part.second, length, self.targets[name])
                for name, part in self.examples.items()}

    def facts(self):
        """Return what a card says of the data: {split: {"file", "rows", "skipped"}}."""
        return {name: {"file": part.path.name, "rows": len(part), "skipped": len(part.skipped)}
                for name, part in self.examples.items()}
