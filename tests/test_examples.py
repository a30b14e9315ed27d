"""What the rooms offer to users has a runnable example in its docstring; `--doctest-modules` runs them all."""

import doctest
import importlib
import types

import pytest

import bertkit

# Rooms by their names for users; then modules all of whose public functions have one.
ROOMS = ["bertkit", *(f"bertkit.{room}" for room in (
    "data", "heads", "kinds", "layers", "metrics", "objectives", "ondevice", "retrieval", "sklearn", "tasks", "text",
    "training",
    "corpus.packing", "cost", "data.features", "data.targets", "kinds.values", "layers.activation", "layers.blocked",
    "layers.cross_entropy", "layers.gather", "objectives.masking", "retrieval.exact", "tasks.packed", "text.template",
    "text.windows", "text.words"))]
MOST = 8                # lines of an example, imports and those that stand in a `with` block included
# What goes without one, and why. A name that has got an example, or is no longer offered, must be taken out.
WITHOUT = {
    "bertkit.export": "takes a fine-tuned model, and half a minute",
    "bertkit.ondevice.DeviceModel": "reads the folder of an export",
    "bertkit.ondevice.load": "reads the folder of an export",
    "bertkit.retrieval.FaissIndex": "needs the package faiss-cpu, which the tests do not ask for",
    "bertkit.layers.register_attention": "a kind and its layer are more than five lines, and stay registered",
    "bertkit.tasks.register": "a task is more than five lines, and stays registered",
}


def offered(room):
    """Return {name: class or function} of what a room offers; of a module that can be called its function."""
    module = importlib.import_module(room)
    names = getattr(module, "__all__", None) or [
        name for name, value in vars(module).items() if getattr(value, "__module__", "") == room and name[0] != "_"]
    values = {name: getattr(module, name) for name in names}
    functions = {name: vars(type(value))["__call__"].__func__ for name, value in values.items()
                 if isinstance(value, types.ModuleType) and callable(value)}
    return {f"{room}.{name}": value for name, value in (values | functions).items()
            if isinstance(value, type | types.FunctionType)}


def lines(value):
    """Return how many lines of the examples in a docstring run."""
    examples = doctest.DocTestParser().get_examples(value.__doc__ or "")
    return sum(each.source.count("\n") for each in examples if doctest.SKIP not in each.options)


def complaints(values, without=WITHOUT):
    found = [f"{name} has no example that runs" for name, value in values.items()
             if not lines(value) and name not in without]
    found += [f"{name} has an example; take it out of the list" for name in without
              if name in values and lines(values[name])]
    return found + [f"{name} has an example of {lines(value)} lines" for name, value in values.items()
                    if lines(value) > MOST]


@pytest.mark.parametrize("room", ROOMS)
def test_what_a_room_offers_has_an_example(room):
    assert not complaints(offered(room)), "\n" + "\n".join(complaints(offered(room)))


def test_what_goes_without_an_example_is_still_offered():
    assert not WITHOUT.keys() - {name for room in ROOMS for name in offered(room)}


def test_rooms_that_can_be_called_are_among_the_names():
    assert offered("bertkit")["bertkit.cost"] is importlib.import_module("bertkit.cost").cost
    assert "bertkit.Classifier" in offered("bertkit") and "bertkit.sklearn.TextClassifier" in offered("bertkit.sklearn")
    assert set(bertkit.__all__) > {"cost", "export"}


def example(text):
    def function():
        pass

    function.__doc__ = f"Do.\n\n{text}"
    return function


@pytest.mark.parametrize("text, without", [
    ("", ()), (">>> f()         # doctest: +SKIP\n1\n", ()), (">>> 1\n1\n", ("a",)), (">>> 1\n1\n" * (MOST + 1), ())])
def test_a_planted_docstring_breaks_the_rule(text, without):
    assert complaints({"a": example(text)}, without)
    assert not complaints({"a": example(">>> 1\n1\n"), "b": example("")}, ("b",))
