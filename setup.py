"""Which packages there are; everything else stands in setup.cfg, whose `find:` cannot add to what it finds."""

from setuptools import find_packages, setup

# recipes/, saved_models/ and tflite/web/ stand beside the package and are installed in it (package_dir in setup.cfg).
setup(packages=[*find_packages(include=["bertkit", "bertkit.*"]), "bertkit.recipes", "bertkit.saved_models",
                "bertkit.web"])
