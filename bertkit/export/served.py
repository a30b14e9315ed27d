"""What the strings-in signature of a SavedModel takes and gives, task by task."""

import numpy as np
import tensorflow as tf

from bertkit.export import source
from bertkit.export.graph import answer, raw
from bertkit.text.graph.tokenizer import GraphTokenizer


class Texts:
    """One text, or two of them, a row -> `output`, what the task gives of it.

    `inputs` are the names of the strings with their rank, `serve(*strings)` the signature's function, `probes` texts to
    try it on and `wanted` what the bundle itself says to them.
    """

    def __init__(self, bundle, names=None):
        self.bundle, self.tokenize = bundle, GraphTokenizer(bundle.tokenizer, bundle.length)
        paired = len(bundle.task.reads) > 1
        self.inputs = dict.fromkeys(names or ("text", "second")[:1 + paired], 1)
        self.output = bundle.task.output

    def serve(self, *strings):
        return self.given(self.tokenize(*strings))

    def given(self, batch):
        return {self.output: answer(self.bundle.model, self.bundle.task, batch)}

    def probes(self):
        texts = [list(source.PROBES), list(source.PROBES[::-1])]
        return dict(zip(self.inputs, texts, strict=False))

    def wanted(self, texts):
        """Return what the bundle says to these texts, rows padded to the longest, and which places are real."""
        rows = self.bundle.tokenizer.pack(*texts.values(), length=self.bundle.length)
        longest = int(rows["padding_mask"].sum(axis=1).max())
        left = self.bundle.tokenizer.template.padding_side == "left"
        batch = {name: values[:, -longest:] if left else values[:, :longest] for name, values in rows.items()}
        return np.asarray(self.given(batch)[self.output]), batch["padding_mask"]


class Classes(Texts):
    """probabilities [B,C] and label, string [B], the most probable one; multi-label also given, bool [B,C]."""

    def given(self, batch):
        task = self.bundle.task
        found = answer(self.bundle.model, task, batch)
        label = tf.gather(tf.constant(task.labels), tf.argmax(found, axis=-1))
        several = {"given": found > 0.5} if task.multi_label else {}
        return {"probabilities": found, "label": label, **several}


class Numbers(Texts):
    """One number a row, [B]: its score."""

    def given(self, batch):
        return {self.output: answer(self.bundle.model, self.bundle.task, batch)[:, 0]}


class Tokens(Texts):
    """logits of each token, [B,T,C], and offsets [B,T,2], where its characters stand in the text."""

    def serve(self, *strings):
        return self.given(self.tokenize(*strings, offsets=True))

    def given(self, batch):
        rows = dict(batch)
        places = {"offsets": rows.pop("offsets", None), "padding_mask": batch["padding_mask"]}
        return {"logits": answer(self.bundle.model, self.bundle.task, rows), **places}


class Spans(Tokens):
    """start_logits and end_logits of each token, [B,T], of text (a question) and context, and offsets [B,T,2]."""

    def __init__(self, bundle):
        super().__init__(bundle, ("text", "context"))
        self.output = "start_logits"

    def given(self, batch):
        found = super().given(batch)
        logits = found.pop("logits")
        return {"start_logits": logits[..., 0], "end_logits": logits[..., 1], **found,
                "segment_ids": batch["segment_ids"]}


class Endings(Texts):
    """text, string [B], and endings, string [B,choices] -> probabilities [B,choices]."""

    def __init__(self, bundle):
        super().__init__(bundle, ("text", "endings"))
        self.inputs["endings"], self.output = 2, "probabilities"

    def serve(self, text, endings):
        shape = tf.shape(endings)
        batch = self.tokenize(tf.repeat(text, shape[1]), tf.reshape(endings, [-1]))
        return {"probabilities": tf.nn.softmax(tf.reshape(raw(self.bundle.model, batch), shape))}

    def probes(self):
        return {"text": list(source.PROBES), "endings": [[one, one[::-1]] for one in source.PROBES]}

    def wanted(self, texts):
        inputs = [(text, *endings) for text, endings in zip(*texts.values(), strict=True)]
        return np.array(self.bundle.predictions(inputs)), None
