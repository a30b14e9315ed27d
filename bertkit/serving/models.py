"""The models that a server answers with, by name; a folder that changed is loaded beside the one that answers."""

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit import ondevice
from bertkit.errors import Error
from bertkit.files.atomic import sha256
from bertkit.files.bounded import as_path
from bertkit.ondevice.runner import METADATA
from bertkit.terminal import say

# Texts that a model answers before it is asked, so that the first who asks does not wait for what is built once.
WARM = ("warm", " ".join(["warm"] * 40))


class Served:
    """A model that answers: a bundle, or a folder that `bertkit export --to tflite` wrote.

    Args:
        name: Its name in paths.
        folder: The folder.

    Raises:
        Error: When the folder is neither, or is damaged.

    `task` says what an input is, `version` which model it is.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self.name, self.folder = name, folder
        self._model: Any
        if (folder / METADATA).is_file():
            self._model = ondevice.load(folder)
            self.version = f"{os.path.basename(os.path.realpath(folder))}-{sha256(folder / METADATA)[:8]}"
        else:
            from bertkit.predictor import Predictor
            self._model = Predictor(folder)
            self.version = self._model.version
        self.task = self._model.task
        self.predict(self.task.check_inputs([self._example(text) for text in WARM]))

    def predict(self, inputs: list[Any]) -> list[dict[str, Any]]:
        """Return the answer to each input, as `bertkit predict` gives it.

        Args:
            inputs: What `task.check_inputs` returned.

        Returns:
            One dict an input.
        """
        return self._model.predict(inputs)

    def _example(self, text):
        return text if self.task.reads == ("text",) else self.task.input("\t".join([text] * len(self.task.reads)))


class Models:
    """Several models by name.

    Args:
        folders: Their folders; the last part of each path is its model's name, the first is `first`.

    Raises:
        Error: When one cannot be loaded, or two have one name.
    """

    def __init__(self, folders: Sequence[str | os.PathLike[str]]) -> None:
        paths = [as_path(folder, "the folder of a bundle") for folder in folders]
        if not paths:
            raise Error("No folder came; give at least one bundle to serve.")
        self._folders: dict[str, Path] = {}
        for path in paths:
            name = os.path.basename(os.path.abspath(path))
            if name in self._folders:
                raise Error(f"{self._folders[name]} and {path} have one name, {name}, by which they are asked; rename "
                            "one, or link to it under another name.")
            self._folders[name] = path
        self._loading = threading.Lock()
        self._served = {name: Served(name, path) for name, path in self._folders.items()}

    @property
    def first(self) -> Served:
        """The model of the first folder."""
        return next(iter(self._served.values()))

    def __iter__(self):
        return iter(list(self._served.values()))

    def get(self, name: str) -> Served | None:
        """Return the model of a name.

        Args:
            name: Its name.

        Returns:
            The model, None where there is none.
        """
        return self._served.get(name)

    def reload(self) -> None:
        """Load each folder again; a model that cannot be loaded is told, and the one that answers goes on.

        A request is answered by the model that was there when it came.
        """
        with self._loading:
            for name, path in self._folders.items():
                try:
                    self._served[name] = Served(name, path)
                except (Error, OSError) as error:
                    say(f"{path} was not loaded again, {self._served[name].version} goes on: {error}")
                else:
                    say(f"{name} is now {self._served[name].version}")
