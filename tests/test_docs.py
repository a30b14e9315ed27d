"""The documents say what is so: links lead somewhere, equations are where they say, commands exist."""

import ast
import importlib
import importlib.util
import inspect
import re
import shlex
from pathlib import Path

import pytest

from bertkit import cli
from bertkit.cli import commands, flags
from bertkit.errors import Error
from bertkit.predictor import Predictor
from bertkit.training.config import TrainConfig

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("benchmarks", "bertkit", "docs", "recipes", "saved_models", "tests", "tflite")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md"))])
EQUATIONS = ROOT / "docs" / "equations.md"

FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ROW = re.compile(r"^\| .+ \| .+ \| \[(\w+)\]\((\S+)\) `([\w.]+)` \| .+ \|$", flags=re.MULTILINE)
# A source: a year, a release's code, a library that is the reference. An equation: its signs, or its words.
CITES = re.compile(r"\b(1[89]|20)\d\d\b|google-research/bert|the library `tokenizers`")
STATES = re.compile(r"[=·√Σ←−]| \+ | / |exp\(|\bfraction of\b|\bentry \[")


def relative(path):
    return path.relative_to(ROOT).as_posix()


def fenced(path, *languages):
    """Return the fenced blocks of a document in these languages ("" = unnamed)."""
    return [block for language, block in FENCE.findall(path.read_text(encoding="utf-8")) if language in languages]


# --------------------------------------------------------------------------------------------- links


def dead_links(path):
    """Return the relative links of a document that lead to no file, or to no heading of one."""
    text = re.sub(r"`[^`\n]*`", "", FENCE.sub("", path.read_text(encoding="utf-8")))
    dead = []
    for link in LINK.findall(text):
        if re.match(r"\w+:", link):                    # https: and the like are another's to keep
            continue
        name, _, heading = link.partition("#")
        target = path.parent / name if name else path
        if not target.exists() or heading and heading not in headings(target):
            dead.append(link)
    return dead


def headings(path):
    """Return the anchors of a document's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_links_lead_somewhere(path):
    assert dead_links(path) == []


def test_a_dead_link_is_seen(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# One\n[a](page.md) [b](page.md#one) [c](#one) [d](https://example.org) `[e](code.md)`\n"
                    "[f](absent.md) ![g](absent.png) [h](#two)\n")
    assert dead_links(page) == ["absent.md", "absent.png", "#two"]


# ----------------------------------------------------------------------------------------- equations


def rows(text):
    """Return (name, linked file, dotted name) of each row of the tables of equations."""
    return ROW.findall(text)


def resolved(dotted):
    """Return (module, class or None, object) behind a dotted name; raises if there is none."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = [importlib.import_module(".".join(parts[:cut]))]
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found.append(getattr(found[-1], part))
        return found[0], next((part for part in found[1:-1] if inspect.isclass(part)), None), found[-1]
    raise ImportError(dotted)


def explains(*docstrings):
    """Whether one of a thing's docstrings cites a source or states the equation."""
    return any(doc and (CITES.search(doc) or STATES.search(doc)) for doc in docstrings)


def faults(name, link, dotted):
    """Return what is wrong with one row of the tables."""
    path = (EQUATIONS.parent / link).resolve()
    module, owner, found = resolved(dotted)
    if not dotted.startswith("bertkit."):              # a library's: the linked file is where it is called
        return [] if dotted.rsplit(".", 1)[1] in path.read_text(encoding="utf-8") else [f"{link} calls no {dotted}"]
    wrong = []
    if name != dotted.rsplit(".", 1)[1] or path != Path(module.__file__):
        wrong.append(f"[{name}]({link}) is not {dotted}")
    if inspect.getmodule(found) is not module:
        wrong.append(f"{dotted} is defined elsewhere, in {inspect.getmodule(found).__name__}")
    if not explains(found.__doc__, owner and owner.__doc__, module.__doc__):
        wrong.append(f"{dotted} neither cites a source nor states its equation")
    return wrong


@pytest.mark.parametrize("row", rows(EQUATIONS.read_text(encoding="utf-8")), ids=lambda row: row[2])
def test_an_equation_is_where_it_is_said_to_be(row):
    assert faults(*row) == []


def test_every_row_of_the_tables_is_read():
    lines = [line for line in EQUATIONS.read_text(encoding="utf-8").splitlines()
             if line.startswith("| ") and not line.startswith("| what ")]
    assert len(lines) == len(rows("\n".join(lines))) > 35


@pytest.mark.parametrize("row", [
    ("attend", "../bertkit/layers/block.py", "bertkit.layers.attention.attend"),
    ("attention", "../bertkit/layers/attention.py", "bertkit.layers.attention.attend"),
    ("attend", "../bertkit/layers/block.py", "bertkit.layers.block.truncated_normal"),
    ("say", "../bertkit/terminal.py", "bertkit.terminal.say"),
    ("Encoder", "../bertkit/encoder.py", "keras.layers.GroupNormalization")])
def test_a_wrong_row_is_seen(row):
    assert faults(*row)


@pytest.mark.parametrize("dotted", ["bertkit.layers.attention.absent", "absent.module"])
def test_a_name_that_is_not_there_is_seen(dotted):
    with pytest.raises((AttributeError, ImportError)):
        resolved(dotted)


# ------------------------------------------------------------------------------------ commands, Python


def commands_in(block):
    """Yield the words of each bertkit command in a fenced block: after a pipe too, without redirections."""
    for line in block.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line.strip().removeprefix("$ "), posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words = []
        for word in [*lexer, ";"]:
            if set(word) <= set("|&;"):
                words = words[2:] if words[:2] == ["python", "-m"] else words
                if words[:1] == ["bertkit"]:
                    yield words[1:]
                words = []
            else:
                words.append(word)


def parse(words):
    """Parse the words of a command as the command line does; raises SystemExit on wrong usage, Error on knobs."""
    name, *rest = [word for i, word in enumerate(words)
                   if word not in ("<", ">", ">>") and (i == 0 or words[i - 1] not in ("<", ">", ">>"))]
    if name in ("--help", "--version"):
        return
    if "--" in rest:                # a sweep's words for its recipe
        rest, recipe = rest[:rest.index("--")], rest[rest.index("--") + 1:]
        parse([rest[0], *recipe, "--out", "X"])
    assert name in cli.COMMANDS, f"there is no command {name}"
    made = flags.parser(commands.function(name), f"bertkit {name}")
    made.add_argument("--json", action="store_true")
    if "--help" not in rest:
        settings = getattr(made.parse_args(rest), "set", [])
        TrainConfig().but(dict(setting.split("=", 1) for setting in settings))


@pytest.mark.parametrize(("path", "words"), [
    pytest.param(path, words, id=f"{relative(path)}: {' '.join(words)[:60]}")
    for path in DOCUMENTS for block in fenced(path, "", "sh", "bash", "shell", "console")
    for words in commands_in(block)])
def test_a_command_exists_with_its_flags(path, words):
    parse(words)


def test_a_command_is_found_wherever_it_stands():
    block = ("$ bertkit cost bert-tiny --json > cost.json    # a remark\necho 'a | b' | bertkit predict DIR < lines\n"
             "python -m bertkit export DIR \\\n    --out X && bertkit --version\nmake demo\n")
    assert list(commands_in(block)) == [
        ["cost", "bert-tiny", "--json", ">", "cost.json"], ["predict", "DIR", "<", "lines"],
        ["export", "DIR", "--out", "X"], ["--version"]]
    for words in commands_in(block):
        parse(words)


@pytest.mark.parametrize("line", [
    "bertkit absent", "bertkit cost bert-tiny --absent", "bertkit export DIR", "bertkit export DIR --out X --to phone",
    "bertkit classify --model M --train T --dev D --out O --set absent=1"])
def test_a_wrong_command_is_seen(line):
    with pytest.raises((SystemExit, AssertionError, Error)):
        parse(*commands_in(line))


def absent_names(source):
    """Return what a Python source imports from bertkit that is not there; raises SyntaxError if it is no Python."""
    return [f"{node.module}.{alias.name}" for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.ImportFrom) and node.module.startswith("bertkit") for alias in node.names
            if not hasattr(importlib.import_module(node.module), alias.name)
            and not (node.module == "bertkit.recipes" and importlib.util.find_spec(f"{node.module}.{alias.name}"))]


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_python_in_documents_is_python(path):
    assert [name for block in fenced(path, "python") for name in absent_names(block)] == []


def test_a_wrong_import_is_seen():
    assert absent_names("from bertkit import ondevice, absent") == ["bertkit.absent"]


def section(path, title):
    """Return the text below a heading of a document, up to the next one."""
    return re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[1]


def glued_tables(text):
    """Return the first lines of tables that stand right below a paragraph or a fence: the site shows them as text."""
    lines, inside, found = [""], False, []
    for line in text.splitlines():
        inside ^= line.lstrip().startswith("```")
        before = lines[-1].strip()
        if line.startswith("|") and not inside and before and not before.startswith(("|", "#")):
            found.append(line)
        lines.append(line)
    return found


@pytest.mark.parametrize("path", DOCUMENTS, ids=relative)
def test_a_blank_line_stands_before_a_table(path):
    assert glued_tables(path.read_text(encoding="utf-8")) == []


def test_a_glued_table_is_seen():
    assert glued_tables("a\n| b |\n|---|\n\n| c |\n```\nx\n| d |\n```\n| e |\n# f\n| g |") == ["| b |", "| e |"]


@pytest.mark.slow
def test_the_notebook_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    """It learns what it is shown, and leaves a bundle that answers as it did."""
    (_, source), = FENCE.findall(section(ROOT / "README.md", "In a notebook"))
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(source, "README.md", "exec"), names)
    assert "'label': 'good'" in capsys.readouterr().out
    for predictor in (Predictor(names["model"], names["tokenizer"]), Predictor("opinions")):
        assert [row["label"] for row in predictor.predict(names["texts"])] == names["labels"]
    assert names["vectors"].shape == (32, 384)
