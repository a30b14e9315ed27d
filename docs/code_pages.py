"""Pages that are made from the code: what each command takes, and the reference of each room of the package."""

import argparse
import ast
import inspect

import bertkit
from bertkit import cli
from bertkit.cli import commands, flags

# Rooms that have pages of their own, or that no one imports.
APART = ("cli", "commands", "flags", "face", "answers", "terminal", "memory", "version")
OVERVIEW = """# Commands

`bertkit COMMAND --help` says the same in a terminal. Every command takes `--json`: then it prints one JSON object and
nothing else (`predict`: one a line). The exit code is 0; 1 on bad input, with one sentence that says what to do; 2 on
wrong usage.

| command | what it does |
|---|---|
"""


def command_pages():
    """Return {place in the site: Markdown} of the commands, an overview first."""
    rows = "\n".join(f"| [`{name}`]({name}.md) | {command.purpose} |" for name, command in cli.COMMANDS.items())
    pages = {f"commands/{name}.md": command_page(name) for name in cli.COMMANDS}
    return {"commands/index.md": f"{OVERVIEW}{rows}\n"} | pages


def command_page(name):
    """Return the page of one command: its words, an example, and each flag with its help."""
    function = commands.function(name)
    made = flags.parser(function, f"bertkit {name}", cli.COMMANDS[name].example)
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    words = (made.description or "").strip()
    knobs = (made.epilog or "").partition("\n\nexample:")[0] if "knobs" in (made.epilog or "") else ""
    return "\n".join([f"# bertkit {name}\n", f"{words}\n", f"```sh\n{cli.COMMANDS[name].example}\n```\n",
                      *_section(made, "Required", True), *_section(made, "Optional", False),
                      *(_knobs(knobs) if knobs else [])])


def _section(made, title, needed):
    actions = [action for action in made._actions if _needed(action) is needed and action.dest != "help"]
    return [f"## {title}\n", *(_flag(action, made) for action in actions), ""] if actions else []


def _needed(action):
    return action.required or not action.option_strings


def _flag(action, made):
    """Return a flag's line: its form in code, what it is, what may be chosen."""
    metavar = action.metavar or action.dest.upper()
    form = made._get_formatter()._format_args(action, metavar) if action.nargs != 0 else ""
    names = ", ".join(action.option_strings)
    help_text = "" if action.help in (None, argparse.SUPPRESS) else action.help % {"prog": made.prog}
    return f"- `{f'{names} {form}'.strip()}`  \n    {help_text}"


def _knobs(text):
    """Return the section of the knobs that --set reaches."""
    title, *lines = text.strip().splitlines()
    parts = [line.strip().partition(" ") for line in lines]
    rows = [f"- `--set {name}=...`  \n    {rest.strip()}" for name, _, rest in parts]
    return [f"## {title.strip().capitalize().rstrip(':')}\n", *rows, ""]


def api_pages(package):
    """Return {place in the site: Markdown} of the package: what `import bertkit` gives, then a page for each room.

    Args:
        package: pathlib.Path. The folder of the package.
    """
    rooms = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        room = parts[1] if len(parts) > 1 else ""
        if parts[-1] == "__init__" and room == "__init__":
            continue
        if room not in APART and not any(part.startswith("_") and part != "__init__" for part in parts):
            rooms.setdefault(room, []).append((parts, path.read_text(encoding="utf-8")))
    return {"api/index.md": _face(rooms)} | {f"api/{room}.md": _room(room, modules) for room, modules in rooms.items()}


def _face(rooms):
    """Return the overview: the names that `import bertkit` gives, and all rooms. A room is read, not imported: one may
    want an extra that is not there."""
    words = {room: _first(ast.get_docstring(ast.parse(modules[0][1]))) for room, modules in rooms.items()}
    lines = {room: f"| [`bertkit.{room}`]({room}.md) | {sentence} |" for room, sentence in words.items()}
    names = [lines.get(name) or _line(name) for name in bertkit.__all__ if not name.startswith("_")]
    rows, others = "\n".join(names), "\n".join(lines.values())
    return (f"# Python\n\n## From `bertkit`\n\n| name | what it is |\n|---|---|\n{rows}\n\n"
            f"## Rooms\n\n| room | what is in it |\n|---|---|\n{others}\n")


def _line(name):
    """Return the row of a class or a function, with a link to where it is described."""
    value = getattr(bertkit, name)
    return f"| [`bertkit.{name}`][{value.__module__}.{value.__qualname__}] | {_first(inspect.getdoc(value))} |"


def _first(docstring):
    """Return the first paragraph of a docstring, safe in a table's cell."""
    return " ".join((docstring or "").split("\n\n")[0].split()).replace("|", "\\|")


def _room(room, modules):
    """Return a room's page: each of its modules that holds something public."""
    shown = [".".join(part for part in parts if part != "__init__") for parts, source in modules if _public(source)]
    return f"# bertkit.{room}\n\n" + "\n\n".join(f"::: {dotted}" for dotted in shown) + "\n"


def _public(source):
    """Whether a module defines something that has a name for others."""
    return any(isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
               for node in ast.parse(source).body)
