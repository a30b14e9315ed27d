"""What the strings-in signature of a SavedModel takes and gives, task by task."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from bertkit.export import source
from bertkit.export.graph import answer, raw_outputs
from bertkit.heads.vectors import HeadVectors
from bertkit.tasks.classification import THRESHOLD
from bertkit.text.graph.tokenizer import GraphTokenizer


class Texts:
    """The signature of a task that reads one text, or two texts, in a row.

    The attributes are `inputs`, {name of a string input: its rank}, and `output`, the name of what the task gives.

    Args:
        bundle: The `Predictor` of the bundle.
        names: Names of the inputs, by default "text", and "second" of pairs.
    """

    def __init__(self, bundle: Any, names: Sequence[str] | None = None) -> None:
        self.bundle, self.tokenize = bundle, GraphTokenizer(bundle.tokenizer, bundle.length)
        paired = len(bundle.task.reads) > 1
        self.inputs = dict.fromkeys(names or ("text", "second")[:1 + paired], 1)
        self.output = bundle.task.output

    def serve(self, *strings: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the outputs for texts: the function of the signature.

        Args:
            *strings: One string tensor [B] for each of `inputs`.

        Returns:
            {name: tensor [B,...]}.
        """
        return self.row_outputs(self.tokenize(*strings))

    def row_outputs(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the outputs for rows of token ids.

        Args:
            batch: {name: int32 [B,T]}.

        Returns:
            {name: tensor [B,...]}.
        """
        return {self.output: answer(self.bundle.model, self.bundle.task, batch)}

    def probes(self) -> dict[str, list]:
        """Return texts to try the signature on.

        Returns:
            {name of an input: texts}.
        """
        texts = [list(source.PROBES), list(source.PROBES[::-1])]
        return dict(zip(self.inputs, texts, strict=False))

    def expected_outputs(self, texts: dict[str, list]) -> tuple[np.ndarray, np.ndarray | None]:
        """Return what the bundle itself says to texts, rows padded to the longest.

        Args:
            texts: What `probes` returned.

        Returns:
            The output that is compared, float32 [B,...], and the padding mask, int32 [B,T], 1 for real tokens, or None.
        """
        rows = self.bundle.tokenizer.pack(*texts.values(), length=self.bundle.length)
        longest = int(rows["padding_mask"].sum(axis=1).max())
        left = self.bundle.tokenizer.template.padding_side == "left"
        batch = {name: values[:, -longest:] if left else values[:, :longest] for name, values in rows.items()}
        return np.asarray(self.row_outputs(batch)[self.output]), batch["padding_mask"]


class Classes(Texts):
    """The signature of a classifier: probabilities [B,C] and label, string [B], the one that `predict` gives.

    A multi-label classifier also gives given, bool [B,C]; one that was calibrated for it, abstain, bool [B], set,
    bool [B,C], the classes of a row's set, and familiarity, float32 [B].

    Args:
        bundle: The `Predictor` of the bundle.
        names: Names of the inputs, by default "text", and "second" of pairs.
    """

    def row_outputs(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the outputs for rows of token ids.

        Args:
            batch: {name: int32 [B,T]}.

        Returns:
            {"probabilities" float32 [B,C], "label" string [B]}; where a row may have several labels also "given" bool
            [B,C], with the limits of the task "abstain" bool [B] and "set" bool [B,C], and where the bundle keeps what
            is familiar "familiarity" float32 [B].
        """
        task = self.bundle.task
        found = answer(self.bundle.model, task, batch)
        decided = _decided(task, found)
        more = {"given": found > task.threshold} if task.multi_label else _trust(task, found, decided)
        if self.bundle.familiarity is not None:
            vectors = HeadVectors(self.bundle.model)(batch, training=False)
            more["familiarity"] = _familiar(self.bundle.familiarity, tf.cast(vectors, tf.float32))
        return {"probabilities": found, "label": tf.gather(tf.constant(task.labels), decided), **more}


def _decided(task, probabilities):
    """Return the class number of each row, as `Classification.decided`; of several labels the most probable one."""
    if task.multi_label or task.threshold == THRESHOLD:
        return tf.argmax(probabilities, axis=-1)
    place = task.labels.index(task.positive_class)
    return tf.where(probabilities[:, place] > task.threshold, place, 1 - place)


def _familiar(kept, vectors):
    """Return how familiar vectors [B,D] are, as `Familiarity.scores`."""
    white = tf.linalg.matmul(vectors, kept.whitening, transpose_b=True)
    distance = tf.reduce_min(tf.reduce_sum((white[:, None] - kept.means) ** 2, axis=-1), axis=-1)
    below = tf.searchsorted(tf.constant(kept.distances), distance, side="left")
    return tf.cast(1 + len(kept.distances) - below, tf.float32) / (1 + len(kept.distances))


def _trust(task, probabilities, decided):
    """Return what the limits of a classifier say of its answers, as `Classification.answers`."""
    chosen = tf.one_hot(decided, task.width, on_value=True, off_value=False)
    found = {}
    if task.abstain_below is not None:
        found["abstain"] = tf.reduce_any(chosen & (probabilities < task.abstain_below), axis=-1)
    if task.set_from is not None:
        found["set"] = chosen | (probabilities >= task.set_from)
    return found


class Vectors(Texts):
    """The signature of an embedder: the vector of each text, [B,D], behind the prompt of the task.

    Args:
        bundle: The `Predictor` of the bundle.
        names: Names of the inputs, by default "text".
    """

    def serve(self, *strings: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the outputs for texts: the function of the signature.

        Args:
            *strings: One string tensor [B] for each of `inputs`.

        Returns:
            {name: tensor [B,...]}.
        """
        return super().serve(*(tf.strings.join([self.bundle.task.prompt, texts]) for texts in strings))

    def expected_outputs(self, texts: dict[str, list]) -> tuple[np.ndarray, np.ndarray | None]:
        """Return what the bundle itself says to texts, rows padded to the longest.

        Args:
            texts: What `probes` returned.

        Returns:
            The output that is compared, float32 [B,D], and the padding mask, int32 [B,T], 1 for real tokens, or None.
        """
        prompt = self.bundle.task.prompt
        return super().expected_outputs({name: [prompt + text for text in given] for name, given in texts.items()})


class Numbers(Texts):
    """The signature of a regression: one number a row, [B], its score.

    Args:
        bundle: The `Predictor` of the bundle.
        names: Names of the inputs, by default "text", and "second" of pairs.
    """

    def row_outputs(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the outputs for rows of token ids.

        Args:
            batch: {name: int32 [B,T]}.

        Returns:
            {name of the output: float32 [B]}.
        """
        return {self.output: answer(self.bundle.model, self.bundle.task, batch)[:, 0]}


class Tokens(Texts):
    """The signature of a tagger: logits of each token, [B,T,C], and offsets [B,T,2] of its characters in the text.

    Args:
        bundle: The `Predictor` of the bundle.
        names: Names of the inputs, by default "text", and "second" of pairs.
    """

    def serve(self, *strings: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the outputs for texts: the function of the signature.

        Args:
            *strings: One string tensor [B] for each of `inputs`.

        Returns:
            {name: tensor [B,T,...]}.
        """
        first, second = (*strings, None)[:2]
        return self.row_outputs(self.tokenize(first, second, offsets=True))

    def row_outputs(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the outputs for rows of token ids.

        Args:
            batch: {name: int32 [B,T]}, and perhaps "offsets", int [B,T,2].

        Returns:
            {"logits" float32 [B,T,C], "offsets" int32 [B,T,2], "padding_mask" int32 [B,T]}.
        """
        rows = dict(batch)
        places = {"offsets": rows.pop("offsets", None), "padding_mask": batch["padding_mask"]}
        return {"logits": answer(self.bundle.model, self.bundle.task, rows), **places}


class Spans(Tokens):
    """The signature of question answering: start_logits and end_logits of each token, [B,T], and offsets [B,T,2].

    The inputs are text, the question, and context.

    Args:
        bundle: The `Predictor` of the bundle.
    """

    def __init__(self, bundle: Any) -> None:
        super().__init__(bundle, ("text", "context"))
        self.output = "start_logits"

    def row_outputs(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """Return the outputs for rows of token ids.

        Args:
            batch: {name: int32 [B,T]}, and perhaps "offsets", int [B,T,2].

        Returns:
            {"start_logits", "end_logits" float32 [B,T], "offsets" int32 [B,T,2], "padding_mask", "segment_ids" int32
            [B,T]}.
        """
        found = super().row_outputs(batch)
        logits = found.pop("logits")
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1], **found,
                "segment_ids": batch["segment_ids"]}


class Endings(Texts):
    """The signature of multiple choice: text, string [B], and endings, string [B,choices] -> probabilities [B,choices].

    Args:
        bundle: The `Predictor` of the bundle.
    """

    def __init__(self, bundle: Any) -> None:
        super().__init__(bundle, ("text", "endings"))
        self.inputs["endings"], self.output = 2, "probabilities"

    def serve(self, text: tf.Tensor, endings: tf.Tensor) -> dict[str, tf.Tensor]:
        """Return the outputs for texts: the function of the signature.

        Args:
            text: strings [B].
            endings: strings [B,choices].

        Returns:
            {"probabilities": float32 [B,choices]}.
        """
        shape = tf.shape(endings)
        batch = self.tokenize(tf.repeat(text, shape[1]), tf.reshape(endings, [-1]))
        return {"probabilities": tf.nn.softmax(tf.reshape(raw_outputs(self.bundle.model, batch), shape))}

    def probes(self) -> dict[str, list]:
        """Return texts to try the signature on.

        Returns:
            {"text": texts, "endings": two endings of each}.
        """
        return {"text": list(source.PROBES), "endings": [[one, one[::-1]] for one in source.PROBES]}

    def expected_outputs(self, texts: dict[str, list]) -> tuple[np.ndarray, None]:
        """Return what the bundle itself says to texts.

        Args:
            texts: What `probes` returned.

        Returns:
            Probabilities, float32 [B,choices], and None, because no place is padding.
        """
        inputs = [(text, *endings) for text, endings in zip(*texts.values(), strict=True)]
        return np.array(self.bundle.predictions(inputs)), None
