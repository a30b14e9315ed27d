"""A training set-up in numpy with its gradients by hand, as small as can be, and words for it."""

import numpy as np

from bertkit import Tokenizer

WORDS = "the film story was good great warm bad dull cold play walk slow very never paris anna smith and in".split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *".!,", *(chr(97 + i) for i in range(26)),
              *(f"##{chr(97 + i)}" for i in range(26)), *WORDS, "##ed", "##ing", "##son"]
TAGS = ["O", "B-PER", "I-PER"]
WIDTH, FEATURES = 16, 6
SPECIAL = [0, 2, 3]


class Course:
    """logits = dropout(mean of the real rows of a table; for tags with the token's own) W + b; AdamW, a linear rate."""

    task, steps, peak, decay, rate = "classify", 100, 5e-5, 0.01, 0.1

    def __init__(self):
        self.tokenizer = Tokenizer(VOCABULARY)
        self.draw = np.random.default_rng(0)
        classes = {"classify": 2, "tag": 3, "mlm": len(VOCABULARY)}[self.task]
        self.values = {"embeddings.word_embeddings.weight": self.draw.normal(0, 1, (len(VOCABULARY), FEATURES)),
                       "classifier.weight": self.draw.normal(0, 1, (FEATURES, classes)),
                       "classifier.bias": self.draw.normal(0, 1, classes)}
        self.moments, self.done = {}, 0
        self.train, self.dev = self.rows()

    # -------------------------------------------------------------------------------- data

    def rows(self):
        draw = np.random.default_rng(1)
        if self.task == "tag":
            made = [{"words": [*draw.choice(WORDS, 3), "Annason", "Smithson", "walked"],
                     "tags": ["O", "O", "O", "B-PER", "I-PER", "O"]} for _ in range(60)]
        else:
            made = [(" ".join(draw.choice(WORDS, 11)), int(draw.integers(2))) for _ in range(60)]
        return made[:48], made[48:]

    def prepare(self, row):
        if self.task == "tag":
            ids, labels = [2], [-100]
            for word, tag in zip(row["words"], row["tags"], strict=True):
                pieces = self.tokenizer.ids([word])[0]
                ids += pieces
                labels += self.spread(TAGS.index(tag), len(pieces))
            batch = self.tokenizer.batch([(ids + [3], [0] * (len(ids) + 1))], WIDTH)
            return batch | {"labels": np.array([self.padded(labels + [-100])], np.int32)}
        batch = self.tokenizer.pack([row[0]], length=WIDTH)
        return batch | {"labels": np.array([row[1]], np.int32)} if self.task == "classify" else self.corrupt(batch)

    def spread(self, label, pieces):
        return [label] + [-100] * (pieces - 1)

    def padded(self, labels):
        return labels + [-100] * (WIDTH - len(labels))

    def corrupt(self, batch, share=0.15, mask=0.8, special=SPECIAL):
        ids = batch["token_ids"]
        chosen = ~np.isin(ids, special) & (self.draw.random(ids.shape) < share)
        kind = self.draw.random(ids.shape)
        new = np.where(chosen & (kind < mask), 4, ids)
        new = np.where(chosen & (kind > 1 - (1 - mask) / 2), self.draw.integers(5, len(VOCABULARY), ids.shape), new)
        return batch | {"token_ids": new.astype(np.int32), "labels": np.where(chosen, ids, -100).astype(np.int32)}

    def batches(self):
        rows = [self.prepare(row) for row in self.train]
        return [{name: np.concatenate([row[name] for row in rows[i:i + 8]]) for name in rows[0]}
                for i in range(0, len(rows), 8)]

    # -------------------------------------------------------------------------------- model

    def read(self, batch, training=False):
        """Return (what reads the head [B,F] or [B,T,F], d of it by the table's rows [.., V])."""
        share = np.zeros((*batch["token_ids"].shape, len(VOCABULARY)))
        np.put_along_axis(share, batch["token_ids"][..., None].astype(int), 1, -1)
        real = batch["padding_mask"][..., None]
        mean = (share * real).sum(1) / np.maximum(real.sum(1), 1)
        return mean if self.task == "classify" else 0.5 * share + 0.5 * mean[:, None]

    def drop(self, x, training):
        return x * (self.draw.random(x.shape) >= self.rate) / (1 - self.rate) if training else x

    def logits(self, batch, training=False):
        x = self.drop(self.read(batch) @ self.values["embeddings.word_embeddings.weight"], training)
        return x @ self.values["classifier.weight"] + self.values["classifier.bias"]

    def forward(self, batch, training):
        return {"mlm_logits" if self.task == "mlm" else "logits": self.logits(batch, training)}

    def counted(self, labels):
        return labels != -100

    def weights(self, labels):
        return self.counted(labels) / max(self.counted(labels).sum(), 1)

    def loss(self, batch):
        labels, logits = batch["labels"], self.logits(batch)
        log_p = logits - logits.max(-1, keepdims=True)
        log_p = log_p - np.log(np.exp(log_p).sum(-1, keepdims=True))
        return float(-(np.take_along_axis(log_p, np.maximum(labels, 0)[..., None].astype(int), -1)[..., 0]
                       * self.weights(labels)).sum())

    def gradients(self, batch):
        labels, logits, share = batch["labels"], self.logits(batch), self.read(batch)
        table, head = self.values["embeddings.word_embeddings.weight"], self.values["classifier.weight"]
        p = np.exp(logits - logits.max(-1, keepdims=True))
        p /= p.sum(-1, keepdims=True)
        np.put_along_axis(p, np.maximum(labels, 0)[..., None].astype(int),
                          np.take_along_axis(p, np.maximum(labels, 0)[..., None].astype(int), -1) - 1, -1)
        p = (p * self.weights(labels)[..., None]).reshape(-1, p.shape[-1])
        share = share.reshape(-1, share.shape[-1])
        return {"embeddings.word_embeddings.weight": share.T @ (p @ head.T), "classifier.weight": (share @ table).T @ p,
                "classifier.bias": p.sum(0)}

    def accumulate(self, batches):
        counts = [self.counted(batch["labels"]).sum() for batch in batches]
        found = [self.gradients(batch) for batch in batches]
        return {name: sum(c * g[name] for c, g in zip(counts, found, strict=True)) / sum(counts) for name in found[0]}

    # -------------------------------------------------------------------------------- optimiser

    def learning_rate(self, step):
        return self.peak * min(step / 10, (self.steps - step) / (self.steps - 10))

    def decays(self, name, value):
        return value.ndim > 1

    def trained(self):
        return list(self.values)

    def apply(self, gradients):
        rate, self.done = self.learning_rate(self.done), self.done + 1
        for name, slope in gradients.items():
            if name in self.trained():
                value = self.values[name]
                self.values[name] = value - rate * (self.moved(name, slope)
                                                    + self.decay * value * self.decays(name, value))

    def moved(self, name, slope):
        first, second = self.moments.get(name, (0, 0))
        self.moments[name] = first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        return first / (1 - 0.9**self.done) / (np.sqrt(second / (1 - 0.999**self.done)) + 1e-6)

    def step(self, batch):
        self.apply(self.gradients(batch))
        return self.loss(batch)

    def mapping(self):
        names = "loss gradients accumulate apply step forward learning_rate prepare".split()
        return {**{name: getattr(self, name) for name in names}, "task": self.task, "steps": self.steps,
                "train": self.train, "dev": self.dev, "batches": self.batches(),
                "labels": TAGS if self.task == "tag" else ["no", "yes"],
                "variables": lambda: {name: value.copy() for name, value in self.values.items()},
                "assign": self.values.update}


class Tagging(Course):
    """Names in sentences."""

    task = "tag"


class Masking(Course):
    """Masked words."""

    task = "mlm"
