"""Every task by the name of its command."""

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
from bertkit.tasks.writing import Writing

TASKS = {kind.name: kind for kind in (Classification, Documents, Regression, Tagging, Answering, Choosing, Embedding,
                                      Ranking, Summarising, LexRank, Writing)}


def task(metadata):
    """Return the task of facts that a bundle or an export states: {"name", and its settings}; raises `Error`."""
    settings = {name: value for name, value in metadata.items() if name != "name"}
    if metadata.get("name") not in TASKS:
        raise Error(f"The task {metadata.get('name')!r} is not one that this version of bertkit knows.")
    try:
        return TASKS[metadata["name"]](**settings)
    except TypeError as error:
        raise Error(f"The settings of the task {metadata['name']!r} do not fit it ({error}); copy the folder "
                    "again.") from None


def metadata(task):
    """Return what `task` makes the task of again, as JSON."""
    return {"name": task.name, **task.settings()}
