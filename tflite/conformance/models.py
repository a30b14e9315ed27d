"""Small models of every task, with random weights, and their answers: what a client must say too."""

import json
import random
import shutil
import tempfile
from pathlib import Path

import keras
import numpy as np
import texts as drawn
from words import WORDS

from bertkit import Encoder, EncoderConfig, heads, ondevice
from bertkit.card import Card
from bertkit.checkpoints import bundle
from bertkit.corpus.vocabulary import learn_vocabulary
from bertkit.export import export_tflite
from bertkit.files.atomic import write_bytes, write_text
from bertkit.predictor import Predictor
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.documents import Documents
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Ranking
from bertkit.tasks.regression import Regression
from bertkit.tasks.summarising import Summarising
from bertkit.tasks.tagging import Tagging
from bertkit.text import Tokenizer
from bertkit.text.convention import Convention

SCRIPTS = ("Latin", "accents", "Greek", "Han", "Thai")
TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
CONVENTION = Convention.learned([["l'", "acqua", "dell'", "Italia", "東京", "大学", "well-known", "Anna", "'s", "กรุง"]])
INPUTS = 60
ODD = ["Anna's", "l'Italia", "dell’acqua", "(well-known)", "U.S.A.", "...", "3.5%", "東京大学", "กรุงเทพ",
       "😀", "“so”", "e\u0301t"]
DIGITS = 7          # of a number in an answer


def write_all(folder):
    """Write the bundle of each task with its export, and its answers."""
    vocabulary = {kind: learned(kind, size) for kind, size in (("wordpiece", 600), ("bpe", 400))}
    for seed, (name, (task, lengths, kind, inputs)) in enumerate(tasks().items()):
        write(Path(folder) / name, task, lengths, vocabulary[kind], inputs(random.Random(seed)), seed)


def tasks():
    """Return {name: (task, lengths of its file, kind of its vocabulary, what draws its inputs)}."""
    return {
        "classify": (Classification(("blame", "praise", "so-so")), [16, 32], "wordpiece", texts),
        "pairs": (Classification(("no", "yes"), pairs=True, positive="no", threshold=0.6), [24], "bpe", pairs),
        "multi_label": (Classification(("a", "b", "c", "d"), True, threshold=0.45), [24], "wordpiece", texts),
        "score": (Regression(mean=2.5, spread=1.5), [12, 24], "wordpiece", pairs),
        "tag": (Tagging(TAGS, stride=6), [20], "wordpiece", parted),
        "tag_convention": (Tagging(TAGS, stride=6, convention=CONVENTION), [20], "bpe", parted),
        "answer": (Answering("2.0", 0.55, query=8, stride=6, longest=10, most=8), [24], "wordpiece", questions),
        "choose": (Choosing(), [24], "wordpiece", endings),
        "embed": (Embedding(16, prompt="passage: "), [8, 24], "wordpiece", texts),
        "rank": (Ranking(), [24], "bpe", documents),
        "long_documents": (Documents(("blame", "praise", "so-so"), most_windows=4), [16], "wordpiece", sentences),
        "summarise": (Summarising(2), [24], "wordpiece", paragraphs),
    }


def learned(kind, size):
    """Return a tokenizer of the words of a few scripts."""
    with tempfile.TemporaryDirectory() as place:
        corpus = Path(place) / "texts.txt"
        corpus.write_text("".join(f"{text}\n\n" for text in texts(random.Random(9), 600)), encoding="utf-8")
        out = Path(place) / ("vocab.txt" if kind == "wordpiece" else kind)
        learn_vocabulary([corpus], out, size, kind)
        return Tokenizer.load(out)


def model_of(task, encoder):
    """Return the head that answers a task."""
    if isinstance(task, Tagging):
        return heads.TokenClassifier(encoder, task.labels)
    if isinstance(task, Classification):
        return heads.Classifier(encoder, task.labels, multi_label=task.multi_label)
    return {"score": lambda: heads.Classifier(encoder, ["score"]), "answer": lambda: heads.QuestionAnswering(encoder),
            "choose": lambda: heads.MultipleChoice(encoder), "rank": lambda: heads.MultipleChoice(encoder),
            "embed": lambda: heads.SentenceEmbedder(encoder),
            "summarise": lambda: heads.TokenClassifier(encoder, ["left", "chosen"])}[task.name]()


def write(folder, task, lengths, tokenizer, inputs, seed):
    """Write a bundle with random weights, what a client reads beside it, and the answers to the inputs."""
    shutil.rmtree(folder, ignore_errors=True)           # an export lies in the bundle, which is not replaced then
    keras.utils.set_random_seed(seed)
    config = EncoderConfig(len(tokenizer), num_layers=1, num_heads=2, hidden_dim=16, intermediate_dim=32,
                           max_sequence_length=max(lengths))
    model = model_of(task, Encoder(config))
    chance = np.random.default_rng(seed)
    for variable in model.variables:
        variable.assign(variable + chance.normal(0, 0.5, variable.shape))
    if task.name == "tag":
        level(model, task, tokenizer, inputs, max(lengths))
    card = Card(name=folder.name, task=task.name, recipe="tflite/conformance/models.py", model={
        **bundle.describe(model), "encoder": config.to_json()}, notes=("The weights are random numbers.",))
    bundle.save(folder, model, tokenizer, card, length=max(lengths), task=task)
    with tempfile.TemporaryDirectory() as place:
        export_tflite(folder, Path(place) / "out", "float32", lengths=lengths)
        for path in (Path(place) / "out").iterdir():
            if path.name in ("model.tflite", "ondevice.json", "labels.txt"):
                write_bytes(folder / path.name, path.read_bytes())
    found = [rounded(answer) for answer in Predictor(folder).predict(inputs)]
    check(found, ondevice.load(folder).predict(inputs), folder)
    rows = [{"input": given, "answer": answer} for given, answer in zip(inputs, found, strict=True)]
    write_text(folder.with_name(folder.name + ".jsonl"), "".join(
        json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n" for row in rows))
    print(f"{folder.name}: {len(rows)} inputs")


def level(model, task, tokenizer, inputs, length):
    """Move the biases of a tagger so that it gives each tag about as often."""
    rows = task.pack(tokenizer, inputs, length).rows
    logits = model(tokenizer.batch(rows, length)).numpy()
    real = np.concatenate([logits[i, :len(ids)] for i, (ids, _) in enumerate(rows)])
    bias = next(variable for variable in model.variables[::-1] if variable.shape == (task.width,))
    bias.assign(bias - np.median(real, axis=0))


def rounded(value):
    """Return an answer with shorter numbers."""
    if isinstance(value, dict):
        return {key: rounded(part) for key, part in value.items()}
    if isinstance(value, list):
        return [rounded(part) for part in value]
    return round(value, DIGITS) if isinstance(value, float) else value


def check(answers, others, folder):
    """Stop where the exported file says something else than the bundle."""
    for one, other in zip(map(numbers, answers), map(numbers, others), strict=True):
        if one[0] != other[0] or not np.allclose(one[1], other[1], atol=1e-5):
            raise SystemExit(f"{folder}: the bundle says {one}, the .tflite {other}; draw other inputs.")


def numbers(value):
    """Return the texts and whole numbers of an answer, and its fractions."""
    if isinstance(value, dict | list):
        parts = [numbers(part) for part in (value.values() if isinstance(value, dict) else value)]
        return [x for part in parts for x in part[0]], [x for part in parts for x in part[1]]
    return ([], [value]) if isinstance(value, float) else ([value], [])


# ------------------------------------------------------------------------------------------------------ inputs


def sentence(chance, most):
    script = chance.choice(SCRIPTS)
    words = [chance.choice(WORDS[script if chance.randrange(4) else "Latin"].split())
             for _ in range(chance.randint(1, most))]
    if not chance.randrange(3):
        words.insert(chance.randint(0, len(words)), chance.choice(ODD))
    return " ".join(words)


def texts(chance, count=INPUTS):
    """Return single texts, an empty one first."""
    return ["", " ", *(sentence(chance, 14) for _ in range(count - 2))]


def sentences(chance):
    """Return texts that may be longer than a row, and hostile ones."""
    odd = chance.sample([text for text in drawn.texts() if "\n" not in text and "\r" not in text], 30)
    return ["", *(sentence(chance, 45) for _ in range(INPUTS - 31)), *odd]


def parted(chance):
    """Return such texts with words that may be several: at apostrophes, and in scripts without blanks."""
    several = ["Anna's", "l'Italia", "dell’acqua", "river's", "d'Anna's", "l'eau’d'or", "กรุงเทพบ้านหมอถนน", "ตลาดนัดสวน",
               "東京大学テレビ", "コーヒーパン", "แม่น้ำcafé", "x'y'z", "U.S.'s", "(l'été)"]
    found = sentences(chance)
    for place in range(1, len(found), 2):
        words = found[place].split(" ")
        for _ in range(chance.randint(1, 6)):
            words.insert(chance.randint(0, len(words)), chance.choice(several))
        found[place] = " ".join(words)
    return found


def pairs(chance):
    """Return pairs of texts."""
    return [["", ""], *([sentence(chance, 12), sentence(chance, 12)] for _ in range(INPUTS - 1))]


def questions(chance):
    """Return (question, context)."""
    return [["", ""], ["the river", ""], *([sentence(chance, 6), sentence(chance, 60)] for _ in range(INPUTS - 2))]


def endings(chance):
    """Return (prompt, ending, ending ...)."""
    return [[sentence(chance, 8), *(sentence(chance, 4) for _ in range(chance.randint(2, 5)))] for _ in range(INPUTS)]


def documents(chance):
    """Return (query, document)."""
    return [["", ""], *([sentence(chance, 4), sentence(chance, 14)] for _ in range(INPUTS - 1))]


def paragraphs(chance):
    """Return texts of several sentences."""
    marks = [". ", "! ", "? ", "。", "\n\n", "... ", '." ', " Mr. ", " e.g. "]
    return ["", *("".join(sentence(chance, 8).capitalize() + chance.choice(marks) for _ in range(chance.randint(1, 7)))
                  for _ in range(INPUTS - 1))]
