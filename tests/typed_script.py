"""A user's script, as README.md and docs/ show bertkit. test_types.py lets a type checker read it.

Where a line ends in `# error: CODE`, the checker must find that fault there, and none on any other line.
"""

from pathlib import Path

import keras
import numpy as np

import bertkit
from bertkit import metrics, ondevice
from bertkit.data import label_names, read_examples
from bertkit.training import AdamW


def learn(rows: Path, out: Path) -> bertkit.Classifier:
    """Fine-tune the encoder that comes along, and leave a bundle."""
    examples = read_examples(rows)
    names: list[str] = label_names(examples)
    encoder = bertkit.load("bertkit://english", part="encoder")
    tokenizer = bertkit.Tokenizer.load("bertkit://english")
    model = bertkit.Classifier(encoder, names, dropout=0.1)
    model.compile(AdamW(2e-4), model.loss_function())
    model.fit(bertkit.data.dataset(examples.first, examples.labels, tokenizer, batch_size=16), epochs=3)
    bertkit.save(model, out, tokenizer)
    return model


def ask(model: bertkit.Classifier, tokenizer: bertkit.Tokenizer, folder: Path) -> float:
    """Let the model, the bundle and the exported file answer."""
    texts = ["a wonderful film", "rain"]
    answers = bertkit.Predictor(model, tokenizer, length=64).predict(texts)
    stored = [answer["label"] for answer in bertkit.Predictor(folder).predict(texts)]
    card = bertkit.export(model, to="tflite", out=folder / "phone", tokenizer=tokenizer, precision="int8")
    phone = ondevice.load(folder / "phone").predict(texts)
    print(card.parity, phone, tokenizer.encode(texts)[0].offsets)
    return metrics.accuracy(stored, [answer["label"] for answer in answers])


def measure(encoder: bertkit.Encoder, tokenizer: bertkit.Tokenizer) -> tuple[int, ...]:
    """Return the shape of the vectors of two texts."""
    vectors: np.ndarray = bertkit.features(encoder, ["a", "b"], tokenizer)
    tokens: list[np.ndarray] = bertkit.features(encoder, ["a", "b"], tokenizer, pooling=None)
    config = encoder.config.but(num_layers=2)
    small = bertkit.Encoder(bertkit.EncoderConfig(1000, num_layers=1, num_heads=2, hidden_dim=8, intermediate_dim=16))
    print(len(tokens), bertkit.cost(config)["parameters"], bertkit.cost("bert-base-uncased"), small.config.hidden_dim)
    return vectors.shape


def wrong(model: bertkit.Classifier, tokenizer: bertkit.Tokenizer, encoder: bertkit.Encoder) -> None:
    """Misuse what is above."""
    bertkit.Predictor(3.5)  # error: arg-type
    bertkit.Predictor(model, tokenizer, lenght=64)  # error: call-arg
    bertkit.Classifier("bertkit://english", ["no", "yes"])  # error: arg-type
    bertkit.EncoderConfig(1000, 2, 2, 8, intermediate_dim="16")  # error: arg-type
    encoder.config.but(num_layers=1).longest + 1  # error: operator
    bertkit.load(path="bertkit://english", head="classify")  # error: call-overload
    bertkit.Tokenizer.load("bertkit://english").encode(3)  # error: arg-type
    bertkit.data.dataset(["a"], [1], "vocab.txt")  # error: arg-type
    bertkit.save(model)  # error: call-arg
    bertkit.export(model, to="phone")  # error: arg-type
    bertkit.cost(3)  # error: arg-type
    bertkit.Predictr(model)  # error: attr-defined
    label: int = metrics.f1([0, 1], [1, 1])  # error: assignment
    shape: str = bertkit.features(encoder, ["a"], tokenizer).shape  # error: assignment
    keras.Model(label, shape)
