"""LiteRT.js: where it is on this machine, how npm installs it, and what of it a page needs.

Neither the repository nor the wheel holds it.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from bertkit.errors import Error
from bertkit.files.atomic import read_json, read_text, sha256, write_json, write_text
from bertkit.files.cache import cache_folder
from bertkit.files.folders import new_folder
from bertkit.terminal import say

VERSION = "2.5.3"       # with which answers were compared
# What npm compares before it unpacks them.
INTEGRITY = {
    "@litertjs/core": "sha512-PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
    "@litertjs/wasm-utils":
        "sha512-4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ=="}
CORE, UTILS = "@litertjs/core", "@litertjs/wasm-utils"
# One thread, a browser without relaxed SIMD, and several threads.
WASM = ("litert_wasm_internal", "litert_wasm_compat_internal", "litert_wasm_threaded_internal")
SUM, MODULES = "sha256.json", "node_modules"
CHANGED = (f"// Changed by bertkit: the package {UTILS} is imported from the file beside this one.\n"
           "// See LICENSE-LiteRT.js.txt.\n")
NPM = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]


def find(given: str | Path | None, fetch: bool) -> Path:
    """Return a node_modules that holds LiteRT.js: the given one, or that of bertkit's cache.

    Args:
        given: A node_modules that holds @litertjs/core, or the folder above it; None takes the cache.
        fetch: Whether npm may fill the cache where it is empty.

    Returns:
        The folder.

    Raises:
        Error: when LiteRT.js is not there, or the cache was changed.
    """
    if given is not None:
        return _given(Path(given))
    place = cache()
    if fetch and not place.is_dir():
        _fetch(place)
    if not place.is_dir():
        raise Error(f"A page needs LiteRT.js, which is not here: give the same command with --fetch, and npm installs "
                    f"{CORE} {VERSION}, or --litert FOLDER, a node_modules that holds it.")
    if read_json(place / SUM, {"sha256": str})["sha256"] != sha256(place / MODULES):
        raise Error(f"{place} is not as npm left it; remove it, and give the command with --fetch.")
    return place / MODULES


def cache() -> Path:
    """Return the folder where --fetch keeps LiteRT.js: $XDG_CACHE_HOME/bertkit, or ~/.cache/bertkit.

    Returns:
        The folder of the version that bertkit was tried with.
    """
    return cache_folder() / f"litertjs-{VERSION}"


def copy(modules: Path, place: Path) -> str:
    """Copy what a page needs, as modules that a browser loads without a bundler, and the licence.

    Args:
        modules: A folder that `find` returned.
        place: The folder of the page; `litert/` and LICENSE-LiteRT.js.txt are written into it.

    Returns:
        The version.

    Raises:
        Error: when the package lacks a file.
    """
    core, out = modules / CORE, place / "litert"
    for name in (f"{name}.{end}" for name in WASM for end in ("js", "wasm")):
        if not (core / "wasm" / name).is_file():
            raise Error(f"{core} lacks wasm/{name}; install {CORE} {VERSION}.")
    (out / "wasm").mkdir(parents=True)
    for name in WASM:
        for end in ("js", "wasm"):
            shutil.copyfile(core / "wasm" / f"{name}.{end}", out / "wasm" / f"{name}.{end}")
    script = read_text(core / "dist/index.js")
    if f'from "{UTILS}"' not in script:
        raise Error(f"{core}/dist/index.js does not import {UTILS}; install {CORE} {VERSION}.")
    write_text(out / "index.js", CHANGED + script.replace(f'from "{UTILS}"', 'from "./wasm-utils.js"'))
    write_text(out / "wasm-utils.js", read_text(modules / UTILS / "dist/index.js"))
    write_text(place / "LICENSE-LiteRT.js.txt", _licence(modules))
    return _version(core)


def _given(folder):
    for modules in (folder, folder / MODULES):
        if (modules / CORE / "package.json").is_file() and (modules / UTILS / "package.json").is_file():
            version = _version(modules / CORE)
            if version != VERSION:
                say(f"{modules} holds LiteRT.js {version}; bertkit was tried with {VERSION}.")
            return modules
    raise Error(f"{folder} holds no {CORE} with {UTILS}; give a node_modules in which `npm install {CORE}` left them.")


def _version(package):
    return str(read_json(package / "package.json").get("version"))


def _licence(modules):
    """Return the licence that the package has, else that which it names, from the package bertkit's own is under."""
    from importlib import metadata
    head = f"{CORE} {_version(modules / CORE)} and {UTILS}: Copyright Google LLC, under the Apache License 2.0.\n\n"
    for path in sorted((modules / CORE).glob("LICENSE*")):
        return head + read_text(path)
    named = str(read_json(modules / CORE / "package.json").get("license"))
    if named != "Apache-2.0":
        raise Error(f"{modules / CORE} is under the licence {named} and has no text of it; put it there as LICENSE.")
    own = metadata.distribution("bertkit").read_text("licenses/LICENSE")
    beside = Path(__file__).resolve().parents[2] / "LICENSE"
    if own is None and not beside.is_file():
        raise Error(f"The text of the Apache License is not beside bertkit; put it into {modules / CORE} as LICENSE.")
    return head + (own or read_text(beside))


def _fetch(place):
    """Install the pinned packages into the cache by npm, which compares their checksums."""
    npm = shutil.which("npm")
    if npm is None:
        raise Error(f"--fetch needs npm, which is not on this machine; install Node.js, or give --litert FOLDER, a "
                    f"node_modules that holds {CORE}.")
    say(f"Installing {CORE} {VERSION} by npm into {place}.")
    place.parent.mkdir(parents=True, exist_ok=True)
    with new_folder(place) as folder, tempfile.TemporaryDirectory(dir=place.parent, prefix="npm-") as work:
        wanted = {"name": "bertkit-cache", "version": "1.0.0", "private": True, "dependencies": {CORE: VERSION}}
        write_json(Path(work) / "package.json", wanted)
        write_json(Path(work) / "package-lock.json", _lock(wanted))
        done = subprocess.run([npm, *NPM], cwd=work, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            reason = next((line for line in done.stderr.splitlines() if line.startswith("npm error")), done.stderr)
            raise Error(f"npm could not install {CORE} {VERSION} ({' '.join(reason.split())[:200]}); on a machine that "
                        f"reaches its registry run `npm install {CORE}@{VERSION}`, and give --litert node_modules.")
        shutil.copytree(Path(work) / MODULES, folder / MODULES)
        write_json(folder / SUM, {"sha256": sha256(folder / MODULES)})


def _lock(wanted):
    packages = {f"{MODULES}/{name}": {"version": VERSION, "integrity": integrity,
                                      **({"dependencies": {UTILS: f"^{VERSION}"}} if name == CORE else {})}
                for name, integrity in INTEGRITY.items()}
    return {"name": wanted["name"], "version": wanted["version"], "lockfileVersion": 3, "requires": True,
            "packages": {"": wanted, **packages}}
