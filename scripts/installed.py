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


def wanted():
    """Yield the requirements of bertkit and of its tests, as setup.cfg has them now."""
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    for section, name in (("options", "install_requires"), ("options.extras_require", "test")):
        yield from map(Requirement, filter(None, settings[section][name].splitlines()))


def is_editable():
    """Return whether bertkit is installed from this folder, so that an edit is seen at once."""
    origin = json.loads(metadata.distribution("bertkit").read_text("direct_url.json") or "{}")
    return origin.get("url") == ROOT.as_uri() and origin.get("dir_info", {}).get("editable", False)


def is_installed():
    """Return whether nothing is left to install."""
    try:
        return is_editable() and all(each.specifier.contains(metadata.version(each.name), prereleases=True)
                                     for each in wanted())
    except metadata.PackageNotFoundError:
        return False


if __name__ == "__main__":
    sys.exit(not is_installed())
