"""The folder of a pre-training run: states and logs while it goes on, a bundle when it is done.

    OUT/state-*, OUT/logs    while it goes on
    OUT/bundle.json ...      when it is done; written last, so a folder that has it is complete
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from bertkit.checkpoints import bundle
from bertkit.errors import Error
from bertkit.files.atomic import read_json
from bertkit.files.folders import check_replaceable

STAGED = ".bundle.tmp"


class Folder:
    """The folder of a run.

    Args:
        out: Its path; it may be missing.

    Raises:
        Error: when the folder holds anything that no pre-training run left there.
    """

    def __init__(self, out: str | Path) -> None:
        self.path = Path(os.path.abspath(out))
        self.logs = self.path / "logs"
        if not self.finished:
            self._check()

    @property
    def finished(self) -> bool:
        """Whether the run's bundle is there."""
        return (self.path / "bundle.json").is_file()

    def card(self) -> dict[str, Any]:
        """Return the card of a finished run, after a check of its files; states that are left are removed.

        Returns:
            The card, as JSON.
        """
        bundle.read_metadata(self.path)
        self._clear()
        return read_json(self.path / "card.json")

    def tidy(self) -> None:
        """Remove the folder of a run that ended before it saved a state: nothing goes on from there."""
        if self.path.is_dir() and not self.finished and not any(
                path.name.startswith(("state-", ".state-")) for path in self.path.iterdir()):
            shutil.rmtree(self.logs, ignore_errors=True)
            with suppress(OSError):             # something else lies there
                self.path.rmdir()

    def save_bundle(self, *made: Any) -> None:
        """Write a bundle into the folder, and remove the states.

        Args:
            made: The arguments of `bundle.save` after the folder.
        """
        staged = self.path / STAGED
        shutil.rmtree(staged, ignore_errors=True)
        bundle.save(staged, *made)
        for path in sorted(staged.iterdir(), key=lambda path: path.name == "bundle.json"):
            os.replace(path, self.path / path.name)
        self._clear()

    def _clear(self):
        for path in (*self.path.glob("state-*"), *self.path.glob(".*tmp*")):
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _check(self):
        if not self.path.exists():
            check_replaceable(self.path, "bundle")
            return
        if not self.path.is_dir():
            raise Error(f"{self.path} is a file; choose another --out.")
        ours = {*bundle.FILES, "logs"}
        strange = sorted(path.name for path in self.path.iterdir() if path.name not in ours
                         and not path.name.startswith("state-") and ".tmp" not in path.name)
        if strange:
            raise Error(f"{self.path} holds {strange[0]}, which no pre-training run left there; choose another --out.")
