"""Every task by the name of its command."""

from typing import Any

from bertkit.errors import Error
from bertkit.tasks.answering import Answering
from bertkit.tasks.choosing import Choosing
from bertkit.tasks.classification import Classification
from bertkit.tasks.documents import Documents
from bertkit.tasks.embedding import Embedding
from bertkit.tasks.ranking import Ranking
from bertkit.tasks.regression import Regression
from bertkit.tasks.summarising import LexRank, Summarising
from bertkit.tasks.tagging import Tagging
from bertkit.tasks.task import Task
from bertkit.tasks.writing import Writing

_KINDS: tuple[type[Task], ...] = (Classification, Documents, Regression, Tagging, Answering, Choosing, Embedding,
                                  Ranking, Summarising, LexRank, Writing)
TASKS = {kind.name: kind for kind in _KINDS}


def task(metadata: dict[str, Any]) -> Task:
    """Make the task that a bundle or an export states.

    Args:
        metadata: {"name", and the settings of the task}.

    Returns:
        The `Task`.

    Raises:
        Error: when the name is unknown, or the settings do not fit the task.

    Example:
        >>> task({"name": "classify", "labels": ["bad", "good"]}).width
        2
    """
    settings = {name: value for name, value in metadata.items() if name != "name"}
    if metadata.get("name") not in TASKS:
        raise Error(f"The task {metadata.get('name')!r} is not one that this version of bertkit knows.")
    try:
        return TASKS[metadata["name"]](**settings)
    except TypeError as error:
        raise Error(f"The settings of the task {metadata['name']!r} do not fit it ({error}); copy the folder "
                    "again.") from None


def metadata(task: Task) -> dict[str, Any]:
    """Return that from which `task` makes the task again.

    Args:
        task: The `Task`.

    Returns:
        {"name", and the settings of the task}, as JSON.

    Example:
        >>> metadata(Writing())
        {'name': 'write', 'longest': 64}
    """
    return {"name": task.name, **task.settings()}
