"""What a teacher answers to a student's rows: each reads the text by its own tokenizer, for every task."""

import numpy as np
import pytest

from bertkit.compress.matches import Match
from bertkit.compress.teacher_answers import NEVER, TaughtRows, kept, moved
from bertkit.encoder import Encoder
from bertkit.errors import Error
from bertkit.heads import MultipleChoice, QuestionAnswering, SentenceEmbedder, TokenClassifier
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.tagging import Tagging
from bertkit.text import Tokenizer
from tests import tiny
from tests.compress.test_alignment import SMALL, TURNED

CONFIG = tiny.CONFIG.but(num_layers=1, initializer_range=0.5)
TEXTS = ["good film", "the story was dull", "a cold scene"]


class Teacher:
    """A teacher without a bundle."""

    def __init__(self, model, task, length=16):
        self.model, self.task, self.tokenizer, self.length = model, task, tiny.tokenizer(), length


def read(tokenizer, text, second=None):
    """Return a row of a text as its own tokenizer reads it, without padding."""
    packed = tokenizer.pack([text], None if second is None else [second], length=32)
    real = packed["padding_mask"][0] == 1
    return {name: value[:, real] for name, value in packed.items()}


@pytest.mark.parametrize("vocabulary", [TURNED, SMALL])
def test_the_teacher_reads_the_text_and_never_the_students_ids(vocabulary):
    teacher, own = Teacher(tiny.classifier(3, config=CONFIG), Classification(("0", "1"))), Tokenizer(vocabulary)
    rows = TaughtRows(teacher, own, 32, TEXTS, np.array([0, 1], "int32"))
    batch, beside = rows.features.batch([0, 1, 2]), rows.beside(np.arange(3), 16)
    wanted = np.concatenate([teacher.model(read(teacher.tokenizer, text)) for text in TEXTS])
    np.testing.assert_allclose(beside["answers"], wanted, atol=1e-5)
    row = read(own, TEXTS[0])["token_ids"].tolist()[0]
    assert batch["token_ids"].tolist()[0][:len(row)] == row
    assert beside["labelled"].tolist() == [1, 1, 0] and rows.known.tolist() == [0, 1]
    if vocabulary is TURNED:                # the planted fault: the teacher given the student's ids says something else
        assert np.abs(np.asarray(teacher.model(batch)) - wanted).max() > 0.05


def test_tags_are_those_of_the_words_whatever_their_pieces():
    labels = ("O", "B-X", "I-X")
    teacher = Teacher(TokenClassifier(Encoder(CONFIG), labels), Tagging(labels, stride=3), length=8)
    inputs = [text.split() for text in (*TEXTS, "film story " * 6)]
    rows = TaughtRows(teacher, Tokenizer(SMALL), 10, inputs, [["O"] * 2, ["B-X"] * 4])
    found = rows.beside(np.arange(len(rows.features)), 10)
    first = np.asarray(teacher.model(read(teacher.tokenizer, TEXTS[0])))[0]
    assert found["words"][0].tolist() == [-1, 0, 1, -1, -1, -1, -1, -1, -1, -1]
    np.testing.assert_allclose(found["answers"][0][1:3], first[1:3], atol=1e-5)
    assert not found["answers"][0][3:].any()
    numbers = found["words"][found["words"] >= 0]
    assert set(numbers) == set(range(2 + 4 + 3 + 12))
    targets = rows.features.targets(np.arange(len(rows.features)), 10)
    known = (found["words"] >= 0) & (found["words"] < 6)
    assert (targets[found["words"] >= 6] == -1).all() and (targets[known] >= 0).all()


def test_starts_and_ends_move_with_the_characters():
    teacher = Teacher(QuestionAnswering(Encoder(CONFIG)), Answering())
    inputs = [("good", "the story was dull"), ("bad", "a film")]
    rows = TaughtRows(teacher, Tokenizer(SMALL), 32, inputs, [[("dull", 14)]])
    found = rows.beside(np.arange(2), 20)
    given = {name: np.asarray(value)[0] for name, value in teacher.model(read(teacher.tokenizer, *inputs[0])).items()}
    logits = np.stack([given["start_logits"], given["end_logits"]], axis=-1)
    # [CLS] good [SEP] the s t o r y was dull [SEP] beside [CLS] good [SEP] the story was dull [SEP]
    np.testing.assert_allclose(found["answers"][0][[0, 3, 4]][:, 0], logits[[0, 3, 4]][:, 0], atol=1e-4)
    np.testing.assert_allclose(found["answers"][0][[0, 3, 8, 9, 10]][:, 1], logits[[0, 3, 4, 5, 6]][:, 1], atol=1e-4)
    assert (found["answers"][0][[1, 2, 5, 6, 7, 8, 11]][:, 0] == NEVER).all()
    assert found["labelled"].tolist() == [1, 0]
    same = TaughtRows(teacher, tiny.tokenizer(), 32, inputs, [[], []]).beside(np.arange(1), 8)["answers"][0]
    np.testing.assert_allclose(same[[0, 3, 4, 5, 6]], logits[[0, 3, 4, 5, 6]], atol=1e-4)


def test_the_probability_of_a_piece_is_the_sum_of_those_in_it():
    logits = np.log([[0.1, 0.2], [0.3, 0.3], [0.6, 0.5]])
    found = moved(logits, [(0, 2), (2, 3), (4, 6)], [(0, 3), (4, 6)], 1.0)
    np.testing.assert_allclose(np.exp(found), [[0.4, 0.5], [0.6, 0.5]], rtol=1e-5)
    back = moved(np.log([[0.4, 0.5], [0.6, 0.5]]), [(0, 3), (4, 6)], [(0, 2), (2, 3), (4, 6)], 1.0)
    np.testing.assert_allclose(np.exp(back), [[0.4, 0], [0, 0.5], [0.6, 0.5]], rtol=1e-5)
    twice = moved(logits, [(0, 2), (2, 3), (4, 6)], [(0, 3), (4, 6)], 2.0)
    p = np.exp(logits / 2)
    np.testing.assert_allclose(np.exp(twice[0] / 2), (p[0] + p[1]), rtol=1e-5)
    assert moved(np.zeros((0, 2)), [], [(0, 1)], 1.0).tolist() == [[NEVER, NEVER]]


def test_choices_and_vectors_keep_their_groups():
    teacher = Teacher(MultipleChoice(Encoder(CONFIG)), Choosing())
    inputs = [("good", "film", "story"), ("bad", "scene", "a film")]
    rows = TaughtRows(teacher, Tokenizer(SMALL), 32, inputs, [1])
    wanted = [[float(np.asarray(teacher.model({name: value[:, None] for name, value in read(
        teacher.tokenizer, each[0], ending).items()}))[0, 0]) for ending in each[1:]] for each in inputs]
    np.testing.assert_allclose(rows.beside(np.arange(2), 9)["answers"], wanted, atol=1e-5)
    teacher = Teacher(SentenceEmbedder(Encoder(CONFIG)), Embedding(16))
    rows = TaughtRows(teacher, Tokenizer(SMALL), 32, [("good", "film"), ("bad", "a story")],
                      np.array([[0, 1]], "int32"))
    found = rows.beside(np.arange(2), 9)["answers"]
    np.testing.assert_allclose(found[1, 1], np.asarray(teacher.model(read(teacher.tokenizer, "a story")))[0], atol=1e-5)
    assert found.shape == (2, 2, 16)


def test_matches_of_tokens_come_with_places_and_the_teachers_own_rows():
    teacher = Teacher(tiny.classifier(config=CONFIG), Classification(("0", "1")))
    hidden, attention = Match("hidden/1", "hidden/1", "mse"), Match("attention/1", "attention/1", "kl")
    rows = TaughtRows(teacher, Tokenizer(SMALL), 32, ["good", "bad film", "a cold old scene"], np.array([0, 1, 0]),
                      matches=[hidden, attention])
    found = rows.beside(np.array([1, 0]), 8)
    assert found["places"].tolist() == [[0, 1, -1, -1, -1, -1, 3, -1], [0, 1, 2, *[-1] * 5]]
    assert found["same"].tolist() == [0, 1]
    assert found["teacher/token_ids"].tolist() == [
        read(teacher.tokenizer, "bad film")["token_ids"].tolist()[0],
        [*read(teacher.tokenizer, "good")["token_ids"].tolist()[0], 0]]


def test_a_match_of_pieces_that_do_not_align_is_refused_by_its_name():
    teacher = Teacher(tiny.classifier(config=CONFIG), Classification(("0", "1")))
    for kind, texts in (("attention", ["film", "story was", "good"]), ("hidden", ["film story film story"])):
        match = Match(f"{kind}/1", f"{kind}/1", "kl" if kind == "attention" else "mse")
        with pytest.raises(Error, match=f"The match {kind}/1 -> {kind}/1 .* compares single tokens"):
            TaughtRows(teacher, Tokenizer(SMALL), 32, texts, np.zeros(len(texts), "int32"), matches=[match])


def test_what_is_large_is_kept_in_a_file(tmp_path, monkeypatch):
    monkeypatch.setattr("bertkit.compress.teacher_answers.IN_MEMORY", 7)
    table = kept((2, 3), tmp_path)
    table[1] = 5
    assert isinstance(table, np.memmap) and np.asarray(table[[1]]).tolist() == [[5, 5, 5]]
    assert not list(tmp_path.iterdir())
    with pytest.raises(Error, match="cannot be written"):
        kept((2, 3), tmp_path / "absent")
