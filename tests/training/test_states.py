"""A damaged state is named, whatever was damaged, and the one before it is used."""

import json

import numpy as np
import pytest

from bertkit.training.resume import Resume
from tests import json_files, tiny

KNOBS = {"seed": 0, "learning_rate": 1e-4, "files": ["ab" * 32]}


@pytest.fixture(scope="module")
def model():
    made = tiny.classifier()
    made.compile("sgd", made.loss_function())
    made.optimizer.build(made.trainable_variables)
    return made


@pytest.fixture
def states(tmp_path, model):
    """Two states, each with weights of its own."""
    writer = Resume(tmp_path / "run", KNOBS)
    writer.set_model(model)
    for done in (1, 2):
        model.weights[0].assign(np.full(model.weights[0].shape, done))
        writer.save(done)
    return tmp_path / "run"


def restored(states, model, **options):
    done = Resume(states, KNOBS, **options).restore(model)
    assert not done or (np.asarray(model.weights[0]) == done).all()         # the weights are those of the number
    return done


def test_the_newest_is_used(states, model):
    assert restored(states, model) == 2


def test_a_flipped_bit_is_named_and_the_state_before_it_is_used(states, model, capsys):
    newest, = states.glob("state-*2.json")
    whole, rng = newest.read_bytes(), np.random.default_rng(0)
    for at in [*rng.integers(len(whole), size=80), whole.index(b'"done": 2') + 8, whole.index(b'"seed": 0') + 8]:
        content = bytearray(whole)
        content[at] ^= 1 << int(rng.integers(8))
        newest.write_bytes(content)
        done = restored(states, model, others="refuse")     # other knobs are refused: none may seem to have come
        assert done == 1 and "state-00000002.json is damaged; using the state before it" in capsys.readouterr().err \
            or json.loads(content.decode()) == json.loads(whole)
        assert len(list(states.glob("state-*"))) == 4       # and nothing was removed
    newest.write_bytes(whole)


@pytest.mark.parametrize("change", [{"done": 1}, {"done": "2"}, {"knobs": None}, {"memory": 3}, {"sha256": 3}])
def test_other_facts_with_the_sum_of_those_before_are_damage(states, model, change, capsys):
    newest, = states.glob("state-*2.json")
    newest.write_text(json.dumps({**json.loads(newest.read_text()), **change}))
    assert restored(states, model) == 1 and "is damaged" in capsys.readouterr().err


def test_a_state_without_a_sum_is_damage(states, model):
    newest, = states.glob("state-*2.json")
    newest.write_text(json.dumps({name: value for name, value in json.loads(newest.read_text()).items()
                                  if name != "sum"}))
    assert restored(states, model) == 1


def test_a_state_under_another_number_is_damage(states, model):
    newest, = states.glob("state-*2.json")
    json_files.change(newest, done=1)               # with its right sum
    assert restored(states, model) == 1


def test_weights_of_another_state_are_damage(states, model, capsys):
    old, new = sorted(states.glob("*.safetensors"))
    new.write_bytes(old.read_bytes())
    assert restored(states, model) == 1 and "state-00000002.safetensors is damaged" in capsys.readouterr().err
    old.unlink()
    assert restored(states, model) == 0


def test_of_other_knobs_nothing_but_the_contents_of_the_folder_goes(states, model):
    inode = states.stat().st_ino
    assert Resume(states, {"seed": 1}).restore(model) == 0
    assert states.stat().st_ino == inode and not any(states.iterdir())
