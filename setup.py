"""Which packages there are; everything else stands in setup.cfg, whose `find:` cannot add to what it finds."""

from setuptools import find_packages, setup

# recipes/ and saved_models/ stand beside the package and are installed inside it (package_dir in setup.cfg).
setup(packages=[*find_packages(include=["bertkit", "bertkit.*"]), "bertkit.recipes", "bertkit.saved_models"])
