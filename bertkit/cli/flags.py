"""A function's signature as command-line flags: a knob is written down once, in the signature.

The help of a flag is the line of the docstring that begins with its name. A parameter whose default is a frozen
value gives one flag for each of its fields, save `TrainConfig`, which gives `--set name=value`, `--tuning FILE`,
`--no-texts` and, as all commands that read labelled rows have them, `--skip-bad-rows` and `--separator`.
Positional-only parameters are words without a flag; a list is one or more of them, or a flag with one or more values;
`*words` are those after `--`.
"""

import argparse
import dataclasses
import inspect
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from bertkit import addresses, memory
from bertkit.cli import answers
from bertkit.errors import Error
from bertkit.terminal import escaped, run_guarded
from bertkit.training.config import TrainConfig

# Knobs that name what must be there before a command begins: files or folders; checkpoints, which may be addresses.
FILES = ("train", "dev", "test", "data", "corpus", "files", "tflite", "ranker", "embedder", "key", "path",
         "against", "accept", "unlabelled", "matches", "tests", "crows_pairs", "weat", "swaps", "litert")
SEVERAL = ("text",)         # files where several are taken, and else a column
BUNDLES = ("folder", "folders", "teacher", "a", "b")
CHECKPOINTS = ("model", "source", "vocabulary", "student", "augmenter", "fill")


class _Parser(argparse.ArgumentParser):
    """A parser whose errors hold no character that a terminal obeys."""

    def error(self, message):
        super().error(escaped(message))


def parser(function: Callable, prog: str, example: str = "") -> argparse.ArgumentParser:
    """Return a parser of command-line flags for a function; parameters without a default are required.

    Args:
        function: A command or a recipe's `main`; its docstring gives the help.
        prog: The name of the command in the help.
        example: A command line that is shown under the help, or "".

    Returns:
        The parser.
    """
    text = inspect.getdoc(function) or ""
    made = _Parser(prog=prog, description=text.split("\n\n")[0], allow_abbrev=False,
                   epilog=example and f"example:\n  {example}",
                   formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, parameter in inspect.signature(function).parameters.items():
        if isinstance(parameter.default, TrainConfig):
            made.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", type=_setting,
                              help="a knob that seldom changes, see below (may be repeated)")
            made.add_argument("--tuning", metavar="FILE", help="a JSON file of such knobs")
            made.add_argument("--skip-bad-rows", action="store_true",
                              help=_help("skip_bad_rows", inspect.getdoc(TrainConfig)))
            made.add_argument("--separator", metavar="SEPARATOR", help=_help("separator", inspect.getdoc(TrainConfig)))
            made.add_argument("--no-texts", action="store_true",
                              help="keep the texts of the data out of report, card and TensorBoard")
            made.epilog = f"knobs for --set:\n{_table(TrainConfig)}\n\n{made.epilog}"
        elif dataclasses.is_dataclass(parameter.default):
            for field in dataclasses.fields(parameter.default):
                _add(made, field.name, field.type, field.default, inspect.getdoc(parameter.default))
        elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            made.add_argument(name, metavar=name.upper(), help=_help(name, text),
                              nargs="+" if get_origin(parameter.annotation) is list else None)
        elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
            required = parameter.default is inspect.Parameter.empty
            _add(made, name, parameter.annotation, None if required else parameter.default, text, required)
    return made


def call(function: Callable, parsed: argparse.Namespace, rest: Sequence[str] = ()) -> Any:
    """Call a function with the arguments of the command line.

    Args:
        function: A command or a recipe's `main`.
        parsed: What the function's `parser` parsed.
        rest: The words after `--`.

    Returns:
        What the function returned.

    Raises:
        Error: When a file that a flag names is not there, or the function raises it.
    """
    words: list[Any] = []
    arguments: dict[str, Any] = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            words.append(getattr(parsed, name))
        elif isinstance(parameter.default, TrainConfig):
            settings = dict(text.split("=", 1) for text in parsed.set)
            settings |= {"skip_bad_rows": True} if parsed.skip_bad_rows else {}
            settings |= {"texts": False} if parsed.no_texts else {}
            settings |= {} if parsed.separator is None else {"separator": parsed.separator}
            arguments[name] = (TrainConfig.read(parsed.tuning) if parsed.tuning else TrainConfig()).but(settings)
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            words += rest
        elif dataclasses.is_dataclass(parameter.default) and not isinstance(parameter.default, type):
            arguments[name] = dataclasses.replace(parameter.default, **{
                field: getattr(parsed, field) for field in _names(parameter.default)})
        else:
            arguments[name] = getattr(parsed, name)
    check_files(function, parsed)
    return function(*words, **arguments)


def check_files(function: Callable, parsed: argparse.Namespace) -> None:
    """Look for each file and checkpoint that the parsed flags of a function name, before TensorFlow is loaded for it.

    Args:
        function: a command or a recipe's `main`; its knobs in `FILES`, `SEVERAL`, `BUNDLES` and `CHECKPOINTS`
            are looked for.
        parsed: what the function's `parser` parsed.

    Raises:
        Error: one of them is not there, or cannot be reached.
    """
    for name, parameter in inspect.signature(function).parameters.items():
        given = getattr(parsed, name, None) or []
        if int in get_args(parameter.annotation):       # a number, such as how many entries of a vocabulary stay
            continue
        for path in given if isinstance(given, list) else [given]:
            if _is_word(name, str(path)):
                continue
            if name in CHECKPOINTS:
                addresses.check_exists(path)
            elif name in BUNDLES and not os.path.exists(path):
                raise Error(f"{path} is no bundle: nothing is there. A run that was interrupted leaves none; the same "
                            "command again resumes it.")
            elif (name in FILES and not path.startswith(addresses.REMOTE)
                  or name in SEVERAL and isinstance(given, list)):
                _check_readable(path)


def _is_word(name, value):
    """Return whether a value names no file: sizes of a student, or the list of matches of a paper."""
    return name == "student" and "=" in value or name == "matches" and not value.endswith(".json")


def _check_readable(path):
    try:
        os.stat(path)
    except OSError as error:
        raise Error(f"{path} cannot be read ({error.strerror}); give an existing file or folder.") from None


def run_recipe(function: Callable) -> None:
    """Call a recipe's `main` with the flags of the command line: the last line of every recipe.

    Args:
        function: The recipe's `main`.

    Raises:
        SystemExit: Always, with the exit code.
    """
    made = parser(function, prog=Path(inspect.getsourcefile(function) or sys.argv[0]).name)
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else")

    def answer():
        parsed = made.parse_args()
        memory.keep_freed_memory()
        answers.print_answer(call(function, parsed), parsed.json)

    raise SystemExit(run_guarded(answer))


def _add(made, name, annotation, default, text, required=False):
    annotation = _without_none(annotation)
    flag, help_text = f"--{name.replace('_', '-')}", _help(name, text)
    if annotation is bool:
        made.add_argument(flag, action="store_true", help=help_text)
    elif get_origin(annotation) is list:
        made.add_argument(flag, action="extend", nargs="+", required=required, metavar=name.upper(),
                          type=get_args(annotation)[0], help=f"{help_text} (one or more)")
    elif get_origin(annotation) is Literal:
        made.add_argument(flag, choices=get_args(annotation), default=default, help=f"{help_text} ({default})")
    else:
        shown = "" if default is None else f" ({default})"
        made.add_argument(flag, type=_kind(annotation), default=default, required=required, metavar=name.upper(),
                          help=help_text + shown)


def _without_none(annotation):
    """Return X for `X | None`, the type of a flag that may be left out; another annotation as it is."""
    parts = [part for part in get_args(annotation) if part is not type(None)]
    return parts[0] if len(parts) == 1 and type(None) in get_args(annotation) else annotation


def _kind(annotation):
    """Return the function that makes a value of a flag's text; a union with a Literal takes these words as they are."""
    parts = [part for part in get_args(annotation) or (annotation,) if part is not type(None)]
    kind = next((part for part in parts if get_origin(part) is not Literal), str)
    words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    if not words:
        return kind

    def word_or_number(text):
        return text if text in words else kind(text)

    word_or_number.__name__ = f"{kind.__name__} or {' or '.join(words)}"       # what argparse says was wanted
    return word_or_number


def _help(name, text):
    """Return the help of a flag, in which argparse reads "%" as the start of a name."""
    return _line(name, text).replace("%", "%%")


def _line(name, text):
    """Return the docstring's line for a knob: "name   what it is"."""
    found = re.search(rf"^\s*{name}\s{{2,}}(.+)$", text, flags=re.MULTILINE)
    return found.group(1).strip() if found else ""


def _table(value):
    """Return the docstring's lines for the fields of a frozen value, each with its default."""
    return "\n".join(f"  {field.name:<15} {_line(field.name, inspect.getdoc(value))} ({field.default})"
                     for field in dataclasses.fields(value))


def _names(value):
    return [field.name for field in dataclasses.fields(value)]


def _setting(text):
    """Return the text of a --set as it is; what holds no "=" is wrong usage."""
    if "=" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} came, wanted NAME=VALUE")
    return text
