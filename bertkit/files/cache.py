"""Where bertkit keeps what it can make or fetch again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return the folder of bertkit in the user's cache: $XDG_CACHE_HOME/bertkit, or ~/.cache/bertkit.

    Returns:
        The folder, which may not be there yet.
    """
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "bertkit"
