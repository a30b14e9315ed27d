"""The site: what is made from the code is whole, each link leads somewhere, and nothing comes from the net."""

import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

import bertkit
from bertkit import cli

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs"))

import code_pages  # noqa: E402
import make_site  # noqa: E402
import notebook_pages  # noqa: E402

# ---------------------------------------------------------------------------------- pages from Markdown


@pytest.fixture
def repository(tmp_path):
    """Return a function {path: text} -> `make_site.Pages` of a repository that holds these files."""
    def make(files):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, encoding="utf-8")
        return make_site.Pages(tmp_path)
    return make


@pytest.mark.parametrize(("link", "expected"), [
    ("[a](tasks.md#one)", "[a](tasks.md#one)"),
    ("[a](../tflite/README.md)", "[a](repository/tflite.md)"),
    ("[`a`](../tflite/README.md)", "[`a`](repository/tflite.md)"),
    ("[a](decisions/)", "[a](decisions/index.md)"),
    ("[a](../bertkit/layers/block.py)", "[a][bertkit.layers.block]"),
    ("[a](../bertkit/__init__.py)", "[a](api/index.md)"),
    ("[a](../benchmarks/peer.py)", "[a](repository/benchmarks/peer.py.txt)"),
    ("[a](https://example.org/b.md)", "[a](https://example.org/b.md)"),
    ("[a](#here)", "[a](#here)"),
    ("`[a](tasks.md)` and\n```\n[a](tasks.md)\n```", "`[a](tasks.md)` and\n```\n[a](tasks.md)\n```"),
    ("`bertkit tag`", "[`bertkit tag`](commands/tag.md)"),
    ("`bertkit tag --help`", "[`bertkit tag --help`](commands/tag.md)"),
    ("`bertkit --help`", "[`bertkit --help`](commands/index.md)"),
    ("`bertkit absent`, `bertkit tag x`", "`bertkit absent`, `bertkit tag x`"),
    ("Words\n- one\n- two", "Words\n\n- one\n- two"),
    ("| [attend](../bertkit/a.py) `bertkit.a.attend` |", "| [attend][bertkit.a.attend] |")])
def test_a_link_leads_to_where_its_page_stands(repository, link, expected):
    pages = repository({"docs/howto.md": link, "docs/tasks.md": "", "docs/decisions/README.md": "",
                        "tflite/README.md": "[back](../docs/howto.md)", "benchmarks/peer.py": ""})
    assert pages.texts[pages.add("docs/howto.md")] == expected
    if "tflite" in expected:
        assert pages.texts["repository/tflite.md"] == "[back](../howto.md)"


def test_a_notebook_is_a_page_with_its_outputs(repository):
    text = ('{"cells": [{"cell_type": "markdown", "source": ["See [a](../tasks.md)"]}, {"cell_type": "code", "source": '
            '["print(1)"], "outputs": [{"output_type": "stream", "name": "stdout", "text": ["1"]}, {"output_type": '
            '"stream", "name": "stderr", "text": ["a warning"]}]}]}')
    pages = repository({"docs/tutorials/notebook.ipynb": text, "docs/tasks.md": ""})
    assert pages.add("docs/tutorials/notebook.ipynb") == "tutorials/notebook.md"
    assert pages.texts["tutorials/notebook.md"] == (
        "See [a](../tasks.md)\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n"
        "[This page as a notebook](notebook.ipynb)\n")
    assert pages.files["tutorials/notebook.ipynb"].read_text(encoding="utf-8") == text


def test_examples_in_docstrings_become_code():
    pytest.importorskip("griffe")
    import docstring_examples
    text = "Add.\n\nExample:\n    >>> 1 + 1\n    2\n\nMore."
    assert docstring_examples.fenced(text) == "Add.\n\nExample:\n    ```pycon\n    >>> 1 + 1\n    2\n    ```\n\nMore."
    assert docstring_examples.fenced("```\n>>> 1\n```") == "```\n>>> 1\n```"


# --------------------------------------------------------------------------------- pages from the code


@pytest.fixture(scope="module")
def made():
    return code_pages.command_pages() | code_pages.api_pages(ROOT / "bertkit")


def test_each_command_has_a_page_with_its_flags(made):
    assert {f"commands/{name}.md" for name in cli.COMMANDS} < set(made)
    page = made["commands/export.md"]
    assert "`--out OUT`" in page.partition("## Optional")[0] and "`--out OUT`" not in page.partition("## Optional")[2]
    assert "`--to {saved_model,tflite" in page and "--help" not in page
    assert "--set weight_decay=..." in made["commands/classify.md"]
    assert all(f"]({name}.md)" in made["commands/index.md"] for name in cli.COMMANDS)


def test_each_public_name_is_in_the_reference(made):
    for name in bertkit.__all__:
        assert name.startswith("_") or f"[`bertkit.{name}`]" in made["api/index.md"], name
    assert "::: bertkit.layers.attention\n" in made["api/layers.md"]


# ------------------------------------------------------------------------------------------- the site


class Page(HTMLParser):
    """The links, the anchors and the loaded files of a page."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loaded = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.anchors |= {given.get("id"), given.get("name")}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in ("script", "img", "link", "iframe") and (given.get("rel") != "canonical"):
            self.loaded.append(given.get("src") or given.get("href") or "")


def faults(site):
    """Return (page, link) of each link to nowhere, and of each file that a page takes from elsewhere."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}
    wrong = []
    for path, page in pages.items():
        for link in page.links:
            name, _, anchor = unquote(link).partition("#")
            if re.match(r"\w+:", link):
                continue
            target = (path.parent / name).resolve() if name else path
            target = target / "index.html" if target.is_dir() else target
            if not target.exists() or anchor and target in pages and anchor not in pages[target].anchors:
                wrong.append((path.relative_to(site).as_posix(), link))
        wrong += [(path.relative_to(site).as_posix(), link) for link in page.loaded
                  if link and (re.match(r"(https?:)?//", link) or not (path.parent / link).resolve().exists()
                               and not link.startswith("data:"))]
    return wrong


def test_a_wrong_site_is_seen(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#one">1</a><a href="b.html#two">2</a><a href="c.html">3</a>'
                                     '<a href="https://example.org">4</a><script src="https://example.org/x.js"></script>'
                                     '<img src="absent.png">')
    (tmp_path / "b.html").write_text('<h1 id="one">One</h1>')
    assert faults(tmp_path) == [("a.html", "b.html#two"), ("a.html", "c.html"),
                                ("a.html", "https://example.org/x.js"), ("a.html", "absent.png")]


@pytest.mark.slow
def test_the_site_is_built_and_its_links_lead_somewhere(tmp_path):
    pytest.importorskip("zensical")
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=shutil.ignore_patterns(".git", "site", "build", "__pycache__", "*.tflite"))
    done = subprocess.run([sys.executable, checkout / "docs" / "make_site.py"], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    site = checkout / "site"
    assert len(list(site.glob("commands/*.html"))) == len(cli.COMMANDS) + 1
    assert [fault for fault in faults(site) if fault[0] != "404.html"] == []
    assert 'href="api/layers.html#bertkit.layers.attention.attend"' in (site / "equations.html").read_text()


@pytest.mark.slow
def test_the_notebook_runs(tmp_path):
    pytest.importorskip("nbclient")
    import run_notebook
    ran = run_notebook.run(run_notebook.NOTEBOOK, tmp_path)
    assert "0.0" in notebook_pages.as_markdown(run_notebook.nbformat.writes(ran)).rsplit("```text", 1)[1]
