"""One page per paper: its config, its table of sizes, and its checkpoints' names.

A page holds only the difference from its parent. `PAGES` is the one list of them.
"""

import difflib
import importlib

from bertkit.errors import Error

PAGES = ("bert",)


def page(name):
    """Return the module of a family, such as `bertkit.family.bert`."""
    if name not in PAGES:
        raise Error(f"The architecture {name!r} is not one bertkit knows; it has "
                    f"{', '.join(PAGES)}.")
    return importlib.import_module(f"bertkit.family.{name}")


def published(name):
    """Return the EncoderConfig of a published checkpoint by its public name; raises `Error` on others.

    >>> published("bert-base-uncased").hidden_dim
    768
    """
    sizes = {size: config for each in PAGES for size, config in page(each).SIZES.items()}
    name = str(name).rsplit("/", 1)[-1]
    if name not in sizes:
        near = difflib.get_close_matches(name, sizes, n=3, cutoff=0.4) or list(sizes)[:3]
        raise Error(f"No published checkpoint is called {name!r}; close names are "
                    f"{', '.join(near)}.")
    return sizes[name]
