"""Build the documentation site: `make docs`, or `python docs/make_site.py [zensical|mkdocs]`, with the extra `docs`.

Pages come from the Markdown in docs/, from what that links to elsewhere in the repository, and from the code: a page
for each command and for each room of the package. All are written to build/docs, and the site to site/.
"""

import posixpath
import re
import shutil
import subprocess
import sys
from pathlib import Path

from code_pages import api_pages, command_pages
from notebook_pages import as_markdown

from bertkit.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
# Pages of the repository that the site has beside those in docs/, and the headings they stand under.
PROJECT = ("CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/README.md", "saved_models/README.md", "tflite/README.md")
REMOTE = "https://unpkg.com/iframe-worker/shim"
FACE = "bertkit/__init__.py"         # what `import bertkit` gives has a page of its own

# Code, in which nothing is a link, or a link; whichever begins first.
LINK = re.compile(r"^```.*?^```$|`[^`\n]*`|(\[[^\]]*\])\(([^)\s]+)\)", flags=re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"`bertkit (--help|\w+)(?: --help)?`")
EQUATION = re.compile(r"\[(\w+)\]\(\S+\.py\) `(bertkit\.[\w.]+)`")
BLOCK = re.compile(r"^(?!\s|[-*|>#]|\d+\. |```)(.+)\n(?=(?:[-*] |1\. |\|))", flags=re.MULTILINE)


def placed(path):
    """Return where in the site a Markdown file of the repository stands: what is in docs/ at the top."""
    if path.startswith("docs/"):
        name = re.sub(r"README\.md$", "index.md", path.removeprefix("docs/"))
    else:                                           # one index in a part of the navigation is its first page
        name = re.sub(r"/README\.md$", ".md", f"repository/{path}")
    return name.removesuffix(".ipynb").removesuffix(".md") + ".md"


def relative(place, path):
    """Return the link from a file of the repository, where it stands in the site, to a place in the site."""
    return posixpath.relpath(place, posixpath.dirname(placed(path)) or ".")


class Pages:
    """The Markdown of the repository as pages of the site, with their links led to where the pages stand.

    Args:
        root: pathlib.Path. The repository.
    """

    def __init__(self, root=ROOT):
        self.root = root
        self.texts = {}         # place in the site -> Markdown
        self.files = {}         # place in the site -> the file that is copied there

    def add(self, path):
        """Add one Markdown file or notebook, named from the root, and all that it links to."""
        place = placed(path)
        if place not in self.texts:
            text = (self.root / path).read_text(encoding="utf-8")
            self.texts[place] = ""                  # pages may link to each other in a ring
            self.texts[place] = self.rewritten(text, path) if path.endswith(".md") else self._notebook(text, path)
        return place

    def _notebook(self, text, path):
        """Return a notebook's page, with a link to the notebook itself, which is copied beside it."""
        name = posixpath.basename(path)
        self.files[posixpath.join(posixpath.dirname(placed(path)), name)] = self.root / path
        return f"{self.rewritten(as_markdown(text), path)}\n[This page as a notebook]({name})\n"

    def rewritten(self, text, path):
        """Return a page's Markdown with its links led to places of the site; code stays as it is."""
        text = BLOCK.sub(r"\1\n\n", EQUATION.sub(r"[\1][\2]", text))        # a list begins after a blank line
        return LINK.sub(lambda found: (self._link if found[1] else self._command)(found, path), text)

    def _command(self, found, path):
        """Return a command in code as a link to its page; other code as it is."""
        command = COMMAND.fullmatch(found[0])
        name = "index" if command and command[1] == "--help" else command and command[1]
        if name not in (*COMMANDS, "index"):
            return found[0]
        return f"[{found[0]}]({relative(f'commands/{name}.md', path)})"

    def _link(self, found, path):
        words, link = found.groups()
        name, _, heading = link.partition("#")
        if not name or re.match(r"\w+:", link):
            return found.group()
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), name))
        if target.startswith("bertkit/") and target.endswith(".py") and target != FACE:
            return f"{words}[{target.removesuffix('.py').replace('/', '.')}]"
        return f"{words}({relative(self._target(target), path)}{'#' if heading else ''}{heading})"

    def _target(self, path):
        if (self.root / path).is_dir():
            path = f"{path}/README.md"
        if path.endswith((".md", ".ipynb")):
            return self.add(path)
        if path == FACE:
            return "api/index.md"
        place = path.removeprefix("docs/") if path.startswith("docs/") else f"repository/{path}.txt"
        self.files[place] = self.root / path        # a program is shown as plain text
        return place

    def write(self, folder):
        """Write all pages and files below a folder."""
        for place, text in self.texts.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            (folder / place).write_text(text, encoding="utf-8")
        for place, source in self.files.items():
            (folder / place).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, folder / place)


def collect(root=ROOT):
    """Return (all pages of the site, {heading of the navigation: what stands under it})."""
    pages = Pages(root)
    for path in sorted((root / "docs").rglob("*")):
        if path.suffix in (".md", ".ipynb"):
            pages.add(path.relative_to(root).as_posix())
    for path in (root / "docs" / "assets").iterdir():
        pages.files[f"assets/{path.name}"] = path
    made = {"Decisions": [place for place in sorted(pages.texts) if place.startswith("decisions/")],
            "Faults": [place for place in sorted(pages.texts) if place.startswith("faults/")],
            "Project": [pages.add(path) for path in PROJECT]}
    for heading in ("Decisions", "Faults"):
        made[heading].sort(key=lambda place: (not place.endswith("index.md"), place))
    made["Project"] += sorted(place for place in pages.texts
                              if place.startswith("repository/") and place not in made["Project"])
    for heading, written in (("Commands", command_pages()), ("Python", api_pages(root / "bertkit"))):
        pages.texts |= written
        made[heading] = list(written)
    return pages, made


def filled(nav, made):
    """Return the navigation with the made pages in their places."""
    if isinstance(nav, list):
        return [filled(entry, made) for entry in nav]
    if isinstance(nav, dict):
        return {name: made[name] if under == "made" else filled(under, made) for name, under in nav.items()}
    return nav


def self_contained(site):
    """Let every page take the one script that the generator would have from the net from the site itself."""
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        worker = posixpath.relpath("assets/worker.js", page.parent.relative_to(site).as_posix())
        page.write_text(text.replace(REMOTE, worker), encoding="utf-8")


def main():
    """Write the pages and build the site with the generator that is named; the exit code is the generator's."""
    import yaml
    generator = sys.argv[1] if len(sys.argv) > 1 else "zensical"
    pages, made = collect()
    shutil.rmtree(BUILD / "docs", ignore_errors=True)
    pages.write(BUILD / "docs")
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    settings["nav"] = filled(settings["nav"], made)
    (BUILD / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False, allow_unicode=True), encoding="utf-8")
    command = [sys.executable, "-m", generator, "build", "--strict", "--config-file", str(BUILD / "mkdocs.yml")]
    code = subprocess.run(command, check=False).returncode
    if code == 0:                                   # what stood there stays until the new site is whole
        self_contained(BUILD / "site")
        shutil.rmtree(ROOT / "site", ignore_errors=True)
        (BUILD / "site").rename(ROOT / "site")
    return code


if __name__ == "__main__":
    raise SystemExit(main())
