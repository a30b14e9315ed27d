"""Which pieces of two tokenizers are the same characters, and that a misalignment is seen."""

import numpy as np

from bertkit.compress.alignment import NOWHERE, PlacedTokenizer, aligned, aligned_rows
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.tagging import Tagging
from bertkit.text import Tokenizer
from tests import tiny

SMALL = [entry for entry in tiny.VOCABULARY if entry not in ("film", "story")]      # these are spelt out
TURNED = [*tiny.VOCABULARY[:5], *tiny.VOCABULARY[:4:-1]]                            # the same pieces, other ids
PAIR = Classification(("a", "b"), pairs=True)


def test_the_same_pieces_under_other_ids_are_aligned():
    one, other = Tokenizer(TURNED), tiny.tokenizer()
    places, same = aligned_rows(PAIR, (one, 16), (other, 16), [("good film", "bad story"), ("dull", "")], None)
    assert places.tolist() == [*range(7), *range(4)] and same.tolist() == [True, True]


def test_a_word_in_other_pieces_is_nowhere_and_the_rest_is_found():
    places, same = aligned_rows(PAIR, (Tokenizer(SMALL), 16), (tiny.tokenizer(), 16), [("good film", "bad")], None)
    assert places.tolist() == [0, 1, NOWHERE, NOWHERE, NOWHERE, NOWHERE, 3, 4, 5] and same.tolist() == [False]
    back, _ = aligned_rows(PAIR, (tiny.tokenizer(), 16), (Tokenizer(SMALL), 16), [("good film", "bad")], None)
    assert back.tolist() == [0, 1, NOWHERE, 6, 7, 8]


def test_ids_would_align_what_is_not_the_same():
    """The planted fault: with the places in the row in place of characters, a shifted piece would count as aligned."""
    places, _ = aligned_rows(PAIR, (Tokenizer(SMALL), 16), (tiny.tokenizer(), 16), [("film good", "bad")], None)
    assert places.tolist() != list(range(len(places)))
    assert places[5] == 2                       # "good", the sixth token of the student and the third of the teacher


def test_equal_texts_of_a_pair_are_told_apart_and_a_cut_row_is_not_the_same():
    sides = (tiny.tokenizer(), 7), (tiny.tokenizer(), 16)
    places, same = aligned_rows(PAIR, *sides, [("good film", "good film"), ("good film bad", "good film bad")], None)
    assert places.tolist() == [0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 4, 5, 6, 8] and same.tolist() == [True, False]


def test_special_tokens_are_matched_from_both_ends():
    assert aligned([None, (0, 0, 1), None, None, (1, 0, 1), None], [None, (0, 0, 1), None, (1, 0, 1), None]) == [
        0, 1, NOWHERE, NOWHERE, 3, 4]
    assert aligned([None], [None]) == [0]


def test_blanks_at_the_ends_of_pieces_do_not_matter():
    class Blank:
        vocabulary = ()

        def __len__(self):
            return 0

        def encode(self, texts):
            from bertkit.text.tokenizer import Encoding
            return [Encoding([1], [" b"], [(1, 3)]) for _ in texts]

    placed = PlacedTokenizer(Blank(), {})
    assert placed.places(placed.ids(["a b"])[0]) == [(0, 2, 3)]


def test_every_task_is_aligned():
    cases = [(Tagging(("O", "B-X")), [["good", "film"]], [["O", "B-X"]]),
             (Answering(), [("good", "bad film story")], [[("film", 4)]]),
             (Choosing(), [("good", "film", "bad story")], [1]), (Embedding(), [("good", "film"), ("bad", "story")],
                                                                  np.zeros((2, 2), "int32"))]
    for task, inputs, targets in cases:
        places, same = aligned_rows(task, (Tokenizer(TURNED), 12), (tiny.tokenizer(), 12), inputs, targets)
        assert (places >= 0).all() and same.all(), task.name
    long = [("good", "film " * 9)]
    assert aligned_rows(Answering(stride=2), (Tokenizer(SMALL), 12), (tiny.tokenizer(), 12), long, [[]]) is None
