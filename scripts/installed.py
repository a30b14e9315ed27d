"""Exit with 0 if this checkout is installed, editable, in this environment, with all that setup.cfg and the tests want.

So an environment that somebody made by hand is taken as it is, without a network.
"""

import json
import sys
from configparser import ConfigParser
from importlib import metadata
from pathlib import Path

# pip's own copy, because a new environment has no other
from pip._vendor.packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]


def is_editable(root):
    """Return whether bertkit is installed from this folder, so that an edit is seen at once."""
    origins = (each.read_text("direct_url.json") for each in metadata.distributions(name="bertkit"))
    return {"dir_info": {"editable": True}, "url": root.as_uri()} in [json.loads(origin or "{}") for origin in origins]


def has_all(path):
    """Return whether all that a setup.cfg wants for bertkit and for its tests is installed, in versions that fit."""
    settings = ConfigParser()
    settings.read(path, encoding="utf-8")
    lines = settings["options"]["install_requires"] + settings["options.extras_require"]["test"]
    return all(wanted.specifier.contains(metadata.version(wanted.name), prereleases=True)
               for wanted in map(Requirement, filter(None, lines.splitlines())))


def is_installed(root):
    """Return whether nothing is left to install for the checkout in this folder."""
    try:
        return is_editable(root) and has_all(root / "setup.cfg")
    except metadata.PackageNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(not is_installed(ROOT))
