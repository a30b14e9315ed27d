"""Every task by the name of its command."""

from bertkit.errors import Error
from bertkit.ondevice.answering import Answering
from bertkit.ondevice.choosing import Choosing
from bertkit.ondevice.classification import Classification
from bertkit.ondevice.documents import Documents
from bertkit.ondevice.embedding import Embedding
from bertkit.ondevice.ranking import Ranking
from bertkit.ondevice.regression import Regression
from bertkit.ondevice.summarising import Central, Summarising
from bertkit.ondevice.tagging import Tagging
from bertkit.ondevice.writing import Writing

TASKS = {kind.name: kind for kind in (Classification, Documents, Regression, Tagging, Answering, Choosing, Embedding,
                                      Ranking, Summarising, Central, Writing)}


def task(facts):
    """Return the task of facts that a bundle or an export states: {"name", and its settings}; raises `Error`."""
    settings = {name: value for name, value in facts.items() if name != "name"}
    if facts.get("name") not in TASKS:
        raise Error(f"The task {facts.get('name')!r} is not one that this version of bertkit knows.")
    try:
        return TASKS[facts["name"]](**settings)
    except TypeError as error:
        raise Error(f"The settings of the task {facts['name']!r} do not fit it ({error}); copy the folder "
                    "again.") from None


def facts(task):
    """Return what `task` makes the task of again, as JSON."""
    return {"name": task.name, **task.settings()}
