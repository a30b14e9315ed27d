"""What each command does: one function a command, its flags its signature (see flags.py).

Positional-only parameters are the command's words. TensorFlow is imported inside, so that what does not need it
answers at once.
"""

import json
import shlex
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, Literal

from bertkit.card import Card
from bertkit.cli.compression import distill as distill
from bertkit.cli.compression import quantize as quantize
from bertkit.cli.compression import slim as slim
from bertkit.cli.exporting import export as export
from bertkit.cli.inspection import attention as attention
from bertkit.cli.inspection import behave as behave
from bertkit.cli.inspection import bias as bias
from bertkit.cli.inspection import compare as compare
from bertkit.cli.inspection import explain as explain
from bertkit.cli.inspection import influence as influence
from bertkit.cli.inspection import layers as layers
from bertkit.cli.serving import serve as serve
from bertkit.data.columns import Columns
from bertkit.errors import Error
from bertkit.files.atomic import write_text
from bertkit.signature import lazy_function, source_of
from bertkit.terminal import escaped, say

RECIPES = ("classify", "long_documents", "score", "tag", "answer", "choose", "embed", "rank", "retrieve", "glue",
           "summarise", "write", "pretrain", "demo")
CHUNK = 1024        # lines that `predict` reads before it answers; a person at a terminal waits for none
CHARACTERS = 2**20          # or fewer lines that have so many together
LONGEST_LINE = 2**21        # bytes; the longest novels have about as many


def function(name: str) -> Callable:
    """Return the function behind a command."""
    if name in RECIPES:
        return lazy_function(f"bertkit.recipes.{name}")
    return globals()[name]


def evaluate(folder: str, /, data: str, tflite: str | None = None, separator: str = "|", skip_bad_rows: bool = False,
             positive: str | None = None, report: str | None = None, no_texts: bool = False,
             columns: Columns = Columns()) -> dict[str, Any]:
    """Score a bundle, or the .tflite exported from it, on labelled rows: the task's official metrics.

    folder          a bundle that a recipe left
    data            labelled rows, in a form that the task's recipe reads
    tflite          score this exported file instead of the model itself
    separator       what parts the labels in a cell, for a multi-label bundle
    skip_bad_rows   go on without rows that cannot be used, and say how many
    positive        of two classes the one that f1 is of, by default as in training
    report          a page to write, such as report.html: scores, confusion, calibration, the worst mistakes
    no_texts        keep the texts of the rows out of the page
    """
    from bertkit.predictor import Predictor
    reading: dict[str, Any] = {"separator": separator, "skip_bad_rows": skip_bad_rows, "texts": not no_texts}
    return Predictor(folder, tflite=tflite).evaluate(data, columns, positive=positive, report=report, **reading)


def predict(folder: str, /, data: str | None = None, out: str | None = None,
            format: Literal["rows", "labelstudio", "prodigy", "doccano"] = "rows",
            order: Literal["file", "uncertain"] = "file", tflite: str | None = None, separator: str = "|",
            skip_bad_rows: bool = False, precision: Literal["float32", "bfloat16", "auto"] = "float32",
            columns: Columns = Columns()) -> None:
    """Answer each line of standard input, or each row of a file, with one JSON object, in order.

    A line is a text, or texts with tabs between: a pair; question, tab, context; prompt, tab, ending, tab, ending ...
    A row of a file keeps its columns, and the answer's stand beside them.

    folder          a bundle that a recipe left
    data            rows to answer: any file that the task's recipe reads, labelled or not, or a text a line
    out             the file to write the rows with their answers to: .csv, .tsv or .jsonl; without it they are printed
    format          write what an annotation tool imports, to correct it there: .json for labelstudio, else .jsonl
    order           uncertain: rows that the model is least sure of first (margin of classes, least sure word of tags)
    tflite          let this exported file answer instead of the model itself
    separator       taken as `evaluate` takes it, for the same file; labels are not read here
    skip_bad_rows   go on without rows that cannot be used, and say how many
    precision       of the model: auto measures once per machine whether bfloat16 is faster, and then takes it
    """
    from bertkit.predictor import Predictor
    if data is None and (out is not None or columns != Columns() or format != "rows" or order != "file"):
        raise Error("--out and names of columns are for the rows of a file, and so are --format and --order; give the "
                    "file with --data.")
    if data is None and sys.stdin is None:
        raise Error("Standard input is closed; give the texts there, one a line, or a file with --data.")
    if out is None and sys.stdout is None:
        raise Error("Standard output is closed; open it, or give a file for the rows of --data with --out.")
    predictor = Predictor(folder, tflite=tflite, precision=precision)
    _say_prompts(predictor.task)
    if data is None:
        _predict_lines(predictor)
    else:
        _predict_rows(predictor, data, out, format, order, columns, skip_bad_rows)


def _say_prompts(task):
    """Say that an embedder has prompts for queries and documents, which are for `retrieve`."""
    if names := [name for name in ("query", "document") if task.name == "embed" and getattr(task, name)]:
        prompts = ", ".join(f"{name} {getattr(task, name)!r:.40}" for name in names)
        say(f"This embedder has prompts ({prompts}), and predict puts neither in front of a text; retrieve does. Write "
            "them into the texts where you want them.")


def _predict_lines(predictor):
    """Answer the lines of standard input."""
    number, told = 0, False
    for chunk in _chunks(_lines(sys.stdin.buffer), 1 if sys.stdin.isatty() else CHUNK):
        inputs = [_input(predictor.task, line, at) for at, line in enumerate(chunk, start=number + 1)]
        told = told or _say_tabs(predictor.task, inputs, number + 1)
        answers = (escaped(json.dumps(answer, ensure_ascii=False)) for answer in predictor.predict(inputs))
        print("\n".join(answers), flush=True)
        number += len(chunk)


def _say_tabs(task, inputs, first):
    """Say, of a classifier that read single texts in these lines, which is the first with a tab; return if any is."""
    line = next((at for at, text in enumerate(inputs, first) if isinstance(text, str) and "\t" in text), None)
    if line is None or not hasattr(task, "pairs"):
        return False
    say(f"line {line} of standard input has a tab, and this model reads it as one text, the tab as a blank; so it does "
        "other such lines.")
    return True


def _predict_rows(predictor, data, out, tool, order, columns, skip_bad_rows):
    """Answer the rows of a file."""
    from bertkit.data.preannotated import Answered, check_tool, preannotations
    from bertkit.data.unlabelled import answered, check_written, row_json, write_rows
    if tool != "rows":
        check_tool(tool, predictor.task, out)
    elif out is not None:
        check_written(out)
    rows, predictions, _ = predictor.answer_file(data, columns, order, skip_bad_rows)
    if tool != "rows":
        text = preannotations(tool, Answered(predictor.task, rows, predictions, predictor.version))
        write_text(out, text) if out is not None else print(escaped(text), end="", flush=True)
        return
    made = answered(rows, predictor.answers(rows.inputs, predictions))
    if out is not None:
        write_rows(out, made)
    else:
        print("\n".join(escaped(row_json(row)) for row in made), flush=True)


def _lines(stream):
    """Yield the lines of standard input as files are read: without a byte order mark, ends at line feeds."""
    for number in count(1):
        line = stream.readline(LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > LONGEST_LINE:
            raise Error(f"line {number} of standard input has more than {LONGEST_LINE} bytes; give a text a line, and "
                        "cut one that is longer.")
        text = line.decode("utf-8", errors="replace").removesuffix("\n").removesuffix("\r")
        yield text.removeprefix("\ufeff") if number == 1 else text


def _chunks(lines, most):
    """Yield lists of lines that are answered together: at most so many, and not many more than `CHARACTERS`."""
    chunk, size = [], 0
    for line in lines:
        chunk.append(line)
        size += len(line)
        if len(chunk) == most or size > CHARACTERS:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _input(task, line, number):
    try:
        return task.input(line)
    except Error as error:
        raise Error(f"line {number} of standard input {error}.") from None


def features(model: str, /, data: str, out: str, text: str | None = None, second: str | None = None, layer: int = -1,
             pooling: Literal["mean", "max", "cls", "none"] = "mean", length: int = 128,
             batch_size: int = 32) -> dict[str, Any]:
    """Write the vectors that an encoder computes of texts to a .npz file; return how many.

    model           a checkpoint: bundle, Hugging Face or Google folder, hf://owner/name, keras-nlp preset
    data            the texts: a text a line, or a .tsv, .csv or .jsonl file
    out             the .npz file to write: features [texts, width]; with --pooling none [tokens, width], and starts
    text            the column of the text, or of a pair's first text
    second          the column of a pair's second text
    layer           after which layer: 0 are the embeddings, -1 is the last one
    pooling         over the tokens of a text: their mean or max, the classification token, or none
    length          tokens that a text is cut to, the special ones included
    batch_size      texts that are computed together
    """
    from bertkit.extraction import write_features
    return write_features(model, data, out, Columns(text, second), layer, None if pooling == "none" else pooling,
                          length, batch_size)


def vocabulary(corpus: list[str], size: int, out: str, kind: Literal["wordpiece", "bpe", "unigram"] = "wordpiece",
               cased: bool = False) -> dict[str, Any]:
    """Learn a vocabulary from text and write it; return how well it fits text that was held out.

    corpus          text files: a paragraph a line, a blank line after each document; .jsonl, .gz, .zst
    size            entries, the special ones included
    out             the file to write (wordpiece: an entry a line), or the folder (bpe, unigram)
    kind            wordpiece as BERT's, bpe as RoBERTa's, unigram as ALBERT's (the latter with the extra corpus)
    cased           keep capital letters (bpe always does)
    """
    from bertkit.corpus.vocabulary import learn_vocabulary
    return learn_vocabulary(corpus, out, size, kind, cased)


def doctor(path: str, /, against: str | None = None, train: str | None = None, dev: str | None = None,
           only: str | None = None, accept: str | None = None, seed: int = 0, html: str | None = None) -> Any:
    """Examine any implementation or file of an encoder as an expert would; exit code 3 says that something is ill.

    path            a bundle, Hugging Face or Google folder, keras-hub preset, SavedModel, .tflite, or hf://owner/name
    against         another form of the same model, such as what it was converted from; both answer the same inputs
    train           training rows: how they are labelled, cut and padded
    dev             dev rows: what they share with train
    only            checks to make, with commas between; the others are not looked at
    accept          a file with a check a line, known and accepted, which does not change the exit code
    seed            of all that is drawn
    html            a page to write, which needs no network
    """
    from bertkit.doctor.examination import examine_path
    found = examine_path(path, against, train, dev, None if only is None else only.split(","), accept, seed)
    if html is not None:
        from bertkit.report.examination import render_examination
        from bertkit.report.page import write_report
        write_report(html, render_examination(f"Examination of {path}", found.subject, found.summary(), found.groups()))
    return found


def corpus(text: list[str], vocabulary: str, out: str, length: int = 128, shortest: int = 0,
           longest: int | None = None, drop_copies: bool = False, seed: int = 0,
           beam: str | None = None) -> dict[str, Any]:
    """Turn text into shards of token ids to pre-train on; return what they hold.

    text            text files: a paragraph a line, a blank line after each document; .jsonl, .gz, .zst
    vocabulary      the vocabulary: a file or folder that `bertkit vocabulary` wrote, or a checkpoint
    out             the folder to write
    length          tokens of a row, the special ones included
    shortest        characters that a document needs, else it is left out
    longest         characters that a document may have
    drop_copies     leave out a document whose words were there before
    seed            of which documents are cut into shorter rows
    beam            work on many machines: Apache Beam's own words, such as --beam="--runner=FlinkRunner ..."
    """
    from bertkit.corpus.beam import runner
    from bertkit.corpus.documents import Selection
    from bertkit.corpus.make import make_corpus
    from bertkit.files.folders import new_folder
    with new_folder(out, "corpus") as place:
        run = None if beam is None else runner(place, _words(beam))
        return make_corpus(text, vocabulary, place, length, Selection(shortest, longest, not drop_copies), seed, run)


def _words(text):
    try:
        return shlex.split(text)
    except ValueError as error:
        raise Error(f"--beam={text} is no list of words ({error}); close each quote.") from None


def sweep(recipe: str, /, *words: str, out: str, over: list[str] | None = None, seeds: str = "0",
          search: Literal["grid", "random", "optuna"] = "grid", trials: int | None = None) -> dict[str, Any]:
    """Try knobs and seeds over a recipe; leave a table, a picture and the best setting, which is returned.

    recipe          the recipe, such as classify; what follows -- are its own flags, the same for all trials
    out             the folder for table.tsv, summary.json, sweep.html and the trials; the same again goes on
    over            a knob, of --set too, and what to try: NAME=A,B,C, or NAME=LOW..HIGH to draw from
    seeds           seeds for each setting, with commas between: the spread over these is what chance does
    search          grid tries every combination, random draws, optuna (an extra) draws near the best
    trials          settings to draw; not for a grid
    """
    from bertkit.sweep import sweep as run
    tried = [name for name in RECIPES if name not in ("pretrain", "demo")]
    if recipe not in tried:
        raise Error(f"There is no recipe {recipe!r} to try; there are {', '.join(tried)}.")
    return run(recipe, function(recipe), words, out, over or [], seeds, search, trials)


def submit(folder: str, /, data: str, out: str, tflite: str | None = None,
           columns: Columns = Columns()) -> dict[str, Any]:
    """Answer rows without labels in a file that gluebenchmark.com takes: index, tab, prediction.

    folder          a bundle of classify or score
    data            rows without labels, such as GLUE's RTE/test.tsv
    out             the file to write, such as RTE.tsv
    tflite          let this exported file answer instead of the model itself
    """
    from bertkit.glue.submission import submit as run
    return run(folder, data, out, tflite, columns)


def convert(source: str, target: str, /, to: Literal["bertkit", "huggingface"] = "bertkit",
            pairs: bool = False, base: str | None = None) -> Card:
    """Turn a checkpoint (Google TF1, Hugging Face, keras-nlp, bertkit) into a bundle or a Hugging Face folder.

    source          the checkpoint: a folder, hf://owner/name or a keras-nlp preset
    target          the folder to write
    to              bertkit or huggingface
    pairs           the classifier reads pairs of texts; without it the bundle takes texts and pairs alike
    base            the base model of an adapter of PEFT: a Hugging Face folder
    """
    from bertkit.checkpoints.convert import convert as run
    return run(source, target, to, pairs, base)


def cost(name: str, /, length: int = 128, batch: int = 1) -> dict[str, int]:
    """Show what an encoder costs: parameters, arithmetic of a forward pass, memory.

    name            a published checkpoint, such as bert-base-uncased
    length          tokens a row
    batch           rows
    """
    from bertkit.cost import cost as count
    return count(name, length, batch)


def recipe(name: str, /, to: str | None = None) -> dict[str, str]:
    """Write a copy of a recipe, to read and to change.

    name            classify, long_documents, score, tag, answer, choose, embed, rank, retrieve, glue,
                    summarise, write, pretrain or demo
    to              the file to write; NAME.py by default
    """
    from bertkit.files.atomic import write_text
    if name not in RECIPES:
        raise Error(f"There is no recipe {name!r}; there are {', '.join(RECIPES)}.")
    source = source_of(f"bertkit.recipes.{name}")
    target = Path(to or f"{name}.py")
    if target.exists():
        raise Error(f"{target} is already there; give another name with --to.")
    write_text(target, source.read_text(encoding="utf-8"))
    return {"written": str(target)}


def annotate(files: list[str], /, out: str, source: str | None = None, question: list[str] | None = None,
             scale: int = 5, seed: int = 0, limit: int | None = None) -> dict[str, Any]:
    """Write a sheet on which people judge systems' texts, blind and in random order, and the key beside it.

    files           the texts of each system: one a line (.txt), or .jsonl as `bertkit predict` answers
    out             the sheet: .html, filled in a browser and saved there as CSV, or .csv for a spreadsheet
    source          what the texts were made of, as many
    question        asked of each text; by default of fluency, relevance and faithfulness
    scale           the largest rating; 1 is the smallest
    seed            of the order of items and of the systems in each
    limit           take the first texts only
    """
    from bertkit.annotation import annotate as run
    return run(files, out, source, question, scale, seed, limit)


def agreement(files: list[str], /, key: str | None = None) -> dict[str, Any]:
    """Tell how far annotators agree, question by question, and with the key how each system fares.

    files           filled sheets, .csv, one for each annotator
    key             the .key.json that was written beside the sheet
    """
    from bertkit.annotation import agreement as run
    return run(files, key)
