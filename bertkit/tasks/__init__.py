"""What a task is, in numpy: what an input is, what the model's numbers mean, answers and official metrics."""

from bertkit.tasks.registry import TaskEntry, entries, entry_of, register
from bertkit.tasks.task import Task

__all__ = ["Task", "TaskEntry", "entries", "entry_of", "register"]
