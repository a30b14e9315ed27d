"""The register of tasks: every part of every entry is there; names are looked up by class."""

import dataclasses

import pytest

from bertkit.errors import Error
from bertkit.tasks import Task, TaskEntry, entries, entry_of
from bertkit.tasks.registry import entry_of_model, task

PARTS = [field.name for field in dataclasses.fields(TaskEntry) if field.name not in ("task", "models")]


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.task.name)
@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_named_is_there(entry, part):
    pytest.importorskip("keras")
    assert getattr(entry, part) is None or callable(entry.part(part)) or isinstance(entry.part(part), tuple)


def test_models_are_those_of_bertkit():
    heads = pytest.importorskip("bertkit.heads")
    named = {model for entry in entries() for model in entry.models}
    assert named <= set(heads.MODELS)
    assert entry_of_model(heads.Classifier).task.name == "classify" and entry_of_model(heads.LanguageModel) is None


def test_a_derived_class_has_the_entry_of_its_parent():
    heads = pytest.importorskip("bertkit.heads")

    class Mine(heads.TokenClassifier):
        pass

    class Own(entry_of("tag").task):
        pass

    assert entry_of_model(Mine).task.name == entry_of(Own(("O", "B-X"))).task.name == "tag"


def test_what_is_not_registered_is_refused():
    class Stranger(Task):
        name = "stranger"

    with pytest.raises(Error, match="'stranger' is not one that this version of bertkit knows; it has classify,"):
        task({"name": "stranger"})
    with pytest.raises(Error, match="A Stranger is no task that was given to bertkit.tasks.register"):
        entry_of(Stranger())
