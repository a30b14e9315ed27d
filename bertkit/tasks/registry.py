"""The register of tasks: for each task one entry that names everything bertkit does with it.

A task of your own is one `TaskEntry`, given to `register` before a model of it is trained, loaded or exported.
"""

import importlib
from dataclasses import dataclass
from typing import Any

from bertkit.errors import Error
from bertkit.files import schema
from bertkit.tasks.task import Task


@dataclass(frozen=True)
class TaskEntry:
    """What bertkit does with one task.

    A part is an object, or its address "module:name", which is imported when the part is first needed: so this room
    needs neither Keras nor TensorFlow. A part that is None is something that bertkit does not do with the task.

    Args:
        task: The class of the task's value, a subclass of `Task`.
        reader: A `data.labelled.Reader`: from a labelled file to inputs and targets.
        models: The classes of the models that answer it, or the names of bertkit's own, such as `("Classifier",)`.
        of_model: Function (settings of a model, `EncoderConfig`) -> settings of the task, or None where the model is of
            another task. It tells the task of a model that no recipe made.
        fit: Function (model) -> `training.losses.Fit`: which knobs of the loss suit the model.
        summary: A `data.summary.Summary`: what is said of labelled rows before they are used.
        strata: Function (targets) -> what is to be as frequent among rows that are held out, one value a row.
        unit: Function (input) -> what of an input stays on one side where rows are held out, such as its context.
        sections: Function (task, dev) -> the sections of the report of a run.
        probe: A `report.partial_input.Probe`: what models see that are shown half of an input.
        commonest: Function (task, train, dev) -> the predictions of the commonest answer.
        served: A class like `export.served.Texts`: what the strings-in signature of a SavedModel takes and gives.
        output: Function (task, tensor of the model's numbers) -> what the exported file gives; by default the numbers.

    Example:
        >>> entry = entry_of("score")
        >>> entry.models, entry.commonest
        (('Classifier',), 'bertkit.report.partial_input:mean_score')
        >>> entry.part("commonest").__name__
        'mean_score'
    """

    task: type[Task]
    reader: Any = None
    models: tuple[type | str, ...] = ()
    of_model: Any = None
    fit: Any = None
    summary: Any = None
    strata: Any = None
    unit: Any = None
    sections: Any = None
    probe: Any = None
    commonest: Any = None
    served: Any = None
    output: Any = None

    def part(self, name: str) -> Any:
        """Return a part of the entry, imported if the entry holds its address.

        Args:
            name: The part, a field of this class.

        Returns:
            The object, or None where there is no such part.
        """
        value = getattr(self, name)
        if not isinstance(value, str):
            return value
        module, _, attribute = value.partition(":")
        return getattr(importlib.import_module(module), attribute)


_ENTRIES: dict[str, TaskEntry] = {}


def register(entry: TaskEntry) -> TaskEntry:
    """Add a task to those that bertkit reads, scores, saves, loads and exports.

    Args:
        entry: The task's entry.

    Returns:
        The entry.

    Raises:
        Error: If another task has its name already.
    """
    name = entry.task.name
    if name in _ENTRIES and _ENTRIES[name].task is not entry.task:
        raise Error(f"The task {name!r} is registered already, as {_ENTRIES[name].task.__name__}; give the new one "
                    "another name.")
    _ENTRIES[name] = entry
    return entry


def entries() -> tuple[TaskEntry, ...]:
    """Return the entries of all tasks, in the order in which they were registered.

    Returns:
        The entries.

    Example:
        >>> [entry.task.name for entry in entries()][:4]
        ['classify', 'long_documents', 'score', 'tag']
    """
    _load()
    return tuple(_ENTRIES.values())


def entry_of(task: Task | str) -> TaskEntry:
    """Return the entry of a task, or of the class that its class is derived from.

    Args:
        task: The task, or its name.

    Returns:
        Its entry.

    Raises:
        Error: If no such task is registered.

    >>> entry_of("score").task.__name__
    'Regression'
    """
    _load()
    if isinstance(task, str):
        if task not in _ENTRIES:
            raise Error(f"The task {task!r} is not one that this version of bertkit knows; it has "
                        f"{', '.join(_ENTRIES)}, and those that were given to bertkit.tasks.register.")
        return _ENTRIES[task]
    for kind in type(task).__mro__:
        for entry in _ENTRIES.values():
            if entry.task is kind:
                return entry
    raise Error(f"A {type(task).__name__} is no task that was given to bertkit.tasks.register.")


def entry_of_model(model: Any) -> TaskEntry | None:
    """Return the entry of the task that a model answers, or that the class answers which its class is derived from.

    Args:
        model: A model, or its class.

    Returns:
        The first entry that names it, or None where no task does.
    """
    for kind in (model if isinstance(model, type) else type(model)).__mro__:
        for entry in entries():
            if kind in entry.models or kind.__module__.startswith("bertkit.") and kind.__name__ in entry.models:
                return entry
    return None


def task_of_model(kind: str, settings: dict[str, Any], config: Any) -> Task | None:
    """Return the task of a model that no recipe made.

    Args:
        kind: The name of the model's class.
        settings: What makes the model again, beside its encoder.
        config: The encoder's `EncoderConfig`.

    Returns:
        The task, or None where the model answers none.
    """
    for entry in entries():
        names = [model if isinstance(model, str) else model.__name__ for model in entry.models]
        if kind in names and entry.of_model is not None:
            found = entry.part("of_model")(settings, config)
            if found is not None:
                return entry.task(**found)
    return None


def model_classes() -> dict[str, type]:
    """Return the models that were registered with a task from outside bertkit.

    Returns:
        {name: class}.
    """
    return {model.__name__: model for entry in entries() for model in entry.models if isinstance(model, type)}


def are_all_own() -> bool:
    """Tell whether all registered tasks are bertkit's own, which another process knows too.

    Returns:
        True where no task from outside was registered.
    """
    return all(entry.task.__module__.startswith("bertkit.") for entry in entries())


def task(metadata: dict[str, Any], source: Any = "The folder") -> Task:
    """Return the task that a bundle or an export states.

    Args:
        metadata: {"name", and the task's settings}, as `metadata` gives them.
        source: The file that states it, as messages name it.

    Returns:
        The task.

    Raises:
        Error: If no such task is registered, or the settings do not fit it.

    Example:
        >>> task({"name": "classify", "labels": ["no", "yes"]}).labels
        ('no', 'yes')
    """
    schema.check(metadata, {"name": str}, f"{source}, task", "copy the folder again")
    settings = {name: value for name, value in metadata.items() if name != "name"}
    kind = entry_of(metadata["name"]).task
    schema.check(settings, schema.arguments(kind), f"{source}, task {metadata['name']}", "copy the folder again")
    if "labels" in settings:
        schema.check(settings["labels"], schema.Several(str, 1, different=True), f"{source}, labels",
                     "copy the folder again")
    try:
        return kind(**settings)
    except (TypeError, ValueError, AttributeError) as error:        # of a task from outside bertkit
        raise Error(f"The settings of the task {metadata['name']!r} do not fit it ({error}); copy the folder "
                    "again.") from None


def metadata(task: Task) -> dict[str, Any]:
    """Return a task as JSON; `task(metadata(value))` is an equal task.

    Args:
        task: The task.

    Returns:
        {"name", and its settings}.

    Example:
        >>> from bertkit.tasks.regression import Regression
        >>> metadata(Regression())
        {'name': 'score', 'pairs': True, 'mean': 0.0, 'spread': 1.0}
    """
    return {"name": task.name, **task.settings()}


def _load() -> None:
    """Register bertkit's own tasks; here and not at the top, since their entries need this module."""
    importlib.import_module("bertkit.tasks.own")
