"""The command line: parse, call one function, print. Answers go to standard output, all else to standard error."""

import io
import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import NamedTuple

from bertkit import memory
from bertkit.errors import Error
from bertkit.terminal import open_standard_streams, run_guarded, say

BACKENDS = ("tensorflow", "jax", "torch", "numpy")      # of Keras


class Command(NamedTuple):
    """What `bertkit --help` says of a command."""

    name: str
    purpose: str
    example: str


COMMANDS = {command.name: command for command in (
    Command("demo", "the main job on embedded data: text -> fit -> SavedModel + int8 .tflite -> proof",
            "bertkit demo --out my-demo"),
    Command("classify", "fine-tune a checkpoint to sort texts or pairs into classes",
            "bertkit classify --model MiniLM/ --train train.tsv --dev dev.tsv --out sentiment"),
    Command("long_documents", "fine-tune it to sort texts that are longer than it reads at once, in four ways",
            "bertkit long_documents --model MiniLM/ --train movie_reviews/ --out reviews --strategy all"),
    Command("score", "fine-tune it to give texts or pairs a number",
            "bertkit score --model MiniLM/ --train STS-B/train.tsv --dev STS-B/dev.tsv --out alike"),
    Command("tag", "fine-tune it to find names and other spans in a text",
            "bertkit tag --model MiniLM/ --train train.conll --dev dev.conll --out names"),
    Command("answer", "fine-tune it to find a question's answer in a text",
            "bertkit answer --model MiniLM/ --train train-v1.1.json --dev dev-v1.1.json --out answers"),
    Command("choose", "fine-tune it to choose the right ending",
            "bertkit choose --model MiniLM/ --train CODAH/train.tsv --dev CODAH/dev.tsv --out endings"),
    Command("embed", "fine-tune it to give texts vectors that are near where the texts are alike",
            "bertkit embed --model MiniLM/ --train pairs.tsv --dev STS-B/dev.tsv --out vectors"),
    Command("rank", "fine-tune it to put the documents that a search found in order",
            "bertkit rank --model MiniLM/ --train train.tsv --dev dev.tsv --out reranker"),
    Command("glue", "fine-tune it on each task of GLUE with several seeds: the table, and what to submit",
            "bertkit glue --model MiniLM/ --data GLUE/ --out glue --tasks CoLA,MRPC,RTE --seeds 0,1,2"),
    Command("sweep", "try knobs and seeds over a recipe: table, picture, the best setting",
            "bertkit sweep classify --out lr --over learning_rate=1e-5,3e-5 --seeds 0,1,2 -- --model MiniLM/ "
            "--train train.tsv --dev dev.tsv"),
    Command("retrieve", "search a collection with an embedder, and a reranker, and score what is found",
            "bertkit retrieve --model vectors --ranker reranker --data cranfield --out found"),
    Command("summarise", "choose the sentences that say most of a document",
            "bertkit summarise --model MiniLM/ --dev squality/dev.jsonl --sentences 12 --out gist"),
    Command("write", "teach an encoder-decoder, both sides begun as a checkpoint, to write texts from texts",
            "bertkit write --model bert-base-uncased/ --train train.tsv --dev dev.tsv --out writer"),
    Command("annotate", "a sheet on which people judge systems' texts without knowing whose they are",
            "bertkit annotate ours.jsonl theirs.jsonl --source sources.txt --out sheet.html"),
    Command("agreement", "how far those who filled such sheets agree, and how each system fares",
            "bertkit agreement ann.csv bob.csv --key sheet.key.json"),
    Command("evaluate", "official metrics of a bundle, or of the file exported from it",
            "bertkit evaluate sentiment --data dev.tsv --json"),
    Command("predict", "answer texts from standard input, one JSON object a line",
            "echo 'a wonderful film' | bertkit predict sentiment"),
    Command("serve", "answer requests over HTTP with one or more bundles, or with exported folders",
            "bertkit serve sentiment --port 8080"),
    Command("explain", "which words speak for an answer, and whether such scores are to be believed",
            "bertkit explain sentiment --text 'a wonderful film' --out why.html"),
    Command("attention", "what each head of a model looks at in a text, as a page",
            "bertkit attention sentiment --text 'a wonderful film' --out heads.html"),
    Command("influence", "which training rows speak for an answer, and which against it",
            "bertkit influence sentiment --train train.tsv --text 'a wonderful film'"),
    Command("layers", "what each layer knows of labelled rows, and what fine-tuning changed",
            "bertkit layers sentiment --data dev.tsv --against bertkit://english --out layers.html"),
    Command("compare", "two bundles on the same rows: scores, intervals, the rows where they differ",
            "bertkit compare sentiment slimmer --data dev.tsv --out compared.html"),
    Command("behave", "tests of a bundle's behaviour: your own, and such as typos and negation made of your rows",
            "bertkit behave sentiment --tests tests.jsonl --data dev.tsv --out behaviour.html"),
    Command("bias", "what a model makes of groups of people: CrowS-Pairs, WEAT, swaps in your own rows",
            "bertkit bias sentiment --swaps swaps.tsv --data dev.tsv --out bias.html"),
    Command("features", "write the vectors that an encoder computes of texts to a .npz file",
            "bertkit features bertkit://english --data texts.txt --out vectors.npz"),
    Command("submit", "answer rows without labels in a file that gluebenchmark.com takes",
            "bertkit submit entailment --data RTE/test.tsv --out RTE.tsv"),
    Command("export", "leave a strings-in SavedModel, a .tflite with its proof, or a page that answers",
            "bertkit export sentiment --to tflite --precision int8 --length 64 --dev dev.tsv --out phone"),
    Command("slim", "remove heads, feed-forward rows, layers or entries of a bundle, and train what is left",
            "bertkit slim sentiment --train train.tsv --dev dev.tsv --layers 0,2,5 --intermediate 512 --out slimmer"),
    Command("distill", "teach a smaller model, or one of another family, to answer as a bundle does",
            "bertkit distill sentiment --student layers=3,intermediate=512,vocabulary=8000 --train train.tsv "
            "--dev dev.tsv --unlabelled more.txt --out student"),
    Command("quantize", "train a bundle to answer in integers as it does in float",
            "bertkit quantize sentiment --train train.tsv --dev dev.tsv --precision int8-full --out trained"),
    Command("doctor", "examine any implementation or file of an encoder: findings with evidence",
            "bertkit doctor bert --against uncased_L-12_H-768_A-12 --html doctor.html"),
    Command("convert", "a checkpoint from one published form into another",
            "bertkit convert uncased_L-12_H-768_A-12 bert --to bertkit"),
    Command("vocabulary", "learn a vocabulary from text",
            "bertkit vocabulary --corpus english.txt german.txt.gz --size 8000 --out vocab.txt"),
    Command("corpus", "turn text into shards of token ids to pre-train on",
            "bertkit corpus --text english.txt german.txt.gz --vocabulary vocab.txt --out shards --length 128"),
    Command("pretrain", "teach an encoder a language from shards: masked words and the family's other objectives",
            "bertkit pretrain --data shards --vocabulary vocab.txt --config tiny --steps 10000 --batch-size 64 "
            "--out encoder"),
    Command("cost", "parameters, arithmetic and memory of a published encoder",
            "bertkit cost bert-base-uncased --length 128"),
    Command("recipe", "write a copy of a recipe, to read and change",
            "bertkit recipe classify --to my_classify.py"),
)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0, 1 (one sentence says what is wrong), 2 (wrong usage) or the answer's own."""
    open_standard_streams()
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")        # answers are JSON, whatever the terminal's locale
    words = list(sys.argv[1:] if arguments is None else arguments)
    return run_guarded(lambda: _run(words))


def _run(words):
    """Return the exit code of words that begin with a command's name."""
    name = words[0] if words else "--help"
    name = name if name.startswith("-") else name.replace("-", "_")         # long-documents is long_documents
    if name in ("--version", "-V"):
        from bertkit.version import VERSION
        print(VERSION)
        return 0
    if name in ("-h", "--help"):
        print(_help())
        return 0 if words else 2
    if name not in COMMANDS:
        say(f"bertkit: there is no command {name!r}; there are {', '.join(COMMANDS)}.")
        return 2
    return _call(name, words[1:])


def _help():
    lines = "\n".join(f"  {name:<14} {command.purpose}" for name, command in COMMANDS.items())
    return ("bertkit: from raw text to a phone, with Keras.\n\nusage: bertkit COMMAND ...\n\n" + lines +
            "\n\n`bertkit COMMAND --help` says more, with an example. Every command knows --json.")


def _call(name, words):
    """Parse a command's words, call its function, print what it returns; return the exit code."""
    from bertkit.cli import answers, commands, flags
    function = commands.function(name)
    made = flags.parser(function, f"bertkit {name}", COMMANDS[name].example)
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    end = words.index("--") if "--" in words else len(words)
    parsed = made.parse_args(words[:end])
    _check_surroundings()
    memory.keep_freed_memory()
    answer = flags.call(function, parsed, words[end + 1:])
    answers.print_answer(answer, parsed.json)
    if name in (*commands.RECIPES, "convert"):
        _say_what_is_ill(getattr(parsed, "out", None) or getattr(parsed, "target", None))
    return getattr(answer, "exit_code", 0)


def _say_what_is_ill(folder):
    """Look at the files of a folder that a command wrote, and say what of them is ill; nothing where all is well."""
    written = ("bundle.json", "config.json")
    if folder is None or not any(os.path.isfile(os.path.join(folder, name)) for name in written):
        return
    from bertkit.doctor.examination import look_at
    try:
        found = look_at(folder)
    except Error as error:                              # the command's own work is done, and stands
        say(f"{folder} could not be looked at: {error}")
        return
    for finding in found:
        say(f"{folder}: {finding.check} is ill. {finding.message} {finding.remedy} "
            f"`bertkit doctor {folder}` says more.")


def _check_surroundings():
    """Raise `Error` where no command can work: the current folder is gone, or Keras has no such backend."""
    try:
        os.getcwd()
    except OSError:
        raise Error("The current folder is gone; change into one that is there, such as with cd.") from None
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow" and (backend not in BACKENDS or find_spec(backend) is None):
        fault = "is not installed" if backend in BACKENDS else "Keras has not"
        raise Error(f"KERAS_BACKEND is {backend!r:.40}, which {fault}; leave it out, or install that backend.")


if __name__ == "__main__":
    raise SystemExit(main())
