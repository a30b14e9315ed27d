"""What bertkit needs beside itself: on which systems that exists, and what to say where a package is missing."""

import platform
import re
from importlib import metadata

from bertkit.errors import Error

# Where TensorFlow 2.21, tensorflow-text 2.21.1 and ai-edge-litert 2.3 all have wheels, looked up on 2026-11-30: for
# Windows and Macs with an Intel processor tensorflow-text has none, for Alpine (musl) no one of them has.
SYSTEMS = {("Linux", "x86_64"), ("Linux", "aarch64"), ("Darwin", "arm64")}
SUPPORTED = "Linux (x86_64 or aarch64, glibc 2.27 or newer) and macOS 12 or newer on Apple silicon"


def unsupported() -> str | None:
    """Return why bertkit does not run on this system.

    Returns:
        One sentence if TensorFlow Text and its like have no wheel for this system, else None.
    """
    system, machine = platform.system(), platform.machine()
    linux = system != "Linux" or platform.libc_ver()[0] == "glibc"
    if (system, machine) in SYSTEMS and linux:
        return None
    here = f"{system} {machine}" if linux else f"{system} {machine} without glibc"
    return (f"this is {here}, for which tensorflow-text has no wheel; bertkit runs on {SUPPORTED}, on Windows in WSL, "
            "elsewhere in a Linux container.")


def missing(package: str, purpose: str, instead: str = "") -> Error:
    """Return the error that says which package is not installed and how one installs it.

    Args:
        package: its name on the package index.
        purpose: what needs it, as the beginning of the sentence.
        instead: another way out, as the end of the sentence.

    Returns:
        The `Error`, to be raised. It names the package itself: an extra of bertkit, `bertkit[beam]`, can be installed
        by that name from an index alone, not in a clone or from a wheel.

    >>> missing("apache-beam", "--beam").args[0]
    '--beam needs apache-beam, which is not installed; run: python -m pip install "apache-beam>=2.70"'
    """
    text = f'{purpose} needs {package}, which is not installed; run: python -m pip install "{requirement(package)}"'
    return Error(f"{text}, or {instead}." if instead else text)


def requirement(package: str) -> str:
    """Return a package with the versions that bertkit's own metadata wants of it.

    Args:
        package: Its name on the package index.

    Returns:
        A requirement such as "apache-beam>=2.70"; the bare name where the metadata does not name the package.

    >>> requirement("apache-beam")
    'apache-beam>=2.70'
    """
    return _wanted().get(_normal(package), package)


def is_required(module: str) -> bool:
    """Return whether a module belongs to a package that bertkit needs.

    Args:
        module: The name of a module, such as `ai_edge_litert.interpreter`.

    Returns:
        Whether bertkit's metadata names the package.

    >>> is_required("statistics")
    False
    """
    return _normal(module.split(".")[0]) in _wanted()


def _wanted():
    """Return {normal name: requirement} of the installed bertkit, extras included; {} where it is not installed."""
    try:
        lines = metadata.requires("bertkit") or []
    except metadata.PackageNotFoundError:
        return {}
    return {_normal(re.split(r"[^\w.-]", line)[0]): line.split(";")[0].strip() for line in lines}


def _normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()
