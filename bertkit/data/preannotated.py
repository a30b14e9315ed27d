"""Answers to rows as files that annotation tools import, so that people correct a model instead of beginning anew.

Each writer's docstring names the page of its tool that describes the form. Columns of the file stay beside the text;
one whose name the form needs is called "file_" and its name.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

from bertkit.data.spans import SINGLE_KEY, UTF16_KEY, utf16_place
from bertkit.data.unlabelled import Rows
from bertkit.errors import Error
from bertkit.terminal import say
from bertkit.text.words import join_words, words


class Answered(NamedTuple):
    """The rows of a file with a model's answers, side by side.

    Args:
        task: The task.
        rows: The `unlabelled.Rows`.
        predictions: What the model says of each row, in the task's own form.
        version: The name of the model, which tools show.
    """

    task: Any
    rows: Rows
    predictions: Sequence[Any]
    version: str


class _Row(NamedTuple):
    """One row: its texts, its columns, its answer, how sure the model is of it (None where the task does not say)."""

    texts: tuple[str, ...]
    columns: dict[str, Any]
    answer: dict[str, Any]
    certainty: float | None
    scores: Sequence[float]

    @property
    def spans(self):
        """The entities with the score of each, or the answer to a question as one of the type "answer"."""
        if "entities" in self.answer:
            return [(each["start"], each["end"], each["type"], score)
                    for each, score in zip(self.answer["entities"], self.scores, strict=True)]
        start = self.answer["start"]
        return [(start, start + len(self.answer["answer"]), "answer", self.answer["score"])] if start >= 0 else []

    @property
    def labels(self):
        """The labels that are given."""
        return self.answer["labels"] if "labels" in self.answer else [self.answer["label"]]


def preannotations(tool: str, answered: Answered) -> str:
    """Return the file that a tool imports.

    Args:
        tool: A key of `TOOLS`.
        answered: The rows with their answers.

    Returns:
        The content of the file.

    Raises:
        Error: when the tool has no form for the task.
    """
    check_tool(tool, answered.task)
    made = TOOLS[tool].write(answered, _rows(answered))
    if tool == "labelstudio":
        return json.dumps(made, ensure_ascii=False, indent=1) + "\n"
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made)


def check_tool(tool: str, task: Any, path: str | Path | None = None) -> None:
    """Check that a tool has a form for a task's answers, before anything is computed.

    Args:
        tool: A key of `TOOLS`.
        task: The task.
        path: The file that is to be written; None leaves its name unchecked.

    Raises:
        Error: when it has none, or the file has not the suffix that the tool imports.
    """
    known = TOOLS[tool]
    pairs = len(task.reads) == 2 and task.name in ("classify", "score")
    if task.name not in known.tasks or pairs and not known.pairs:
        raise Error(f"{tool} has no form for the answers of this model ({task.name}{' of pairs' if pairs else ''}); "
                    f"it has one for {', '.join(known.tasks)}. Leave --format out, or take another one.")
    if path is not None and Path(path).suffix.lower() != known.suffix:
        raise Error(f"{tool} imports {known.suffix} files; give --out a name that ends so, and not {path}.")


def _rows(answered):
    """Return the rows of answers."""
    task, rows = answered.task, answered.rows
    answers = task.answers(rows.inputs, answered.predictions)
    sure = certainties(task, answered.predictions)
    scores = task.entity_scores(answered.predictions) if task.name == "tag" else [()] * len(rows)
    texts = [(given,) if isinstance(given, str) else tuple(given) if task.reads != ("text",) else (
        join_words(given)[0],) for given in rows.inputs]
    return [_Row(*each) for each in zip(texts, rows.columns, answers, sure, scores, strict=True)]


def certainties(task: Any, predictions: Sequence[Any]) -> list[Any]:
    """Return how sure a model is of each row; None of each where its task does not say.

    Args:
        task: The task.
        predictions: The prediction of each row.

    Returns:
        A number from 0 to 1, or None, for each.
    """
    try:
        return list(task.certainty(predictions))
    except Error:
        return [None] * len(predictions)


def least_certain_first(task: Any, predictions: Sequence[Any]) -> list[int]:
    """Return rows in the order in which labels for them help most: those first that the model is least sure of.

    How sure it is says `Task.certainty`: uncertainty sampling (Lewis and Gale 1994) by the margin of two classes, or by
    the least sure word. Rows of which it is equally sure keep their order.

    Args:
        task: The task.
        predictions: The prediction of each row.

    Returns:
        The numbers of the rows, from 0.

    Raises:
        Error: when the task does not say how sure it is.
    """
    sure = task.certainty(predictions)
    return sorted(range(len(predictions)), key=lambda row: sure[row])


def _beside(row, taken, read=()):
    """Return the columns of a row under names that are not taken, without those that hold its texts."""
    return {f"file_{name}" if name in taken else name: value for name, value in row.columns.items() if name not in read}


def _label_studio(answered, rows):
    """Return tasks with predictions, https://labelstud.io/guide/predictions; places count code points (its issue 1347).

    The project's labelling configuration is printed: names in it and in the predictions are the same.
    """
    columns = _text_columns(answered)
    say(f"Label Studio shows these in a project with the labelling configuration:\n{_configuration(answered, columns)}")
    return [{"data": {**row.columns, **dict(zip(columns, row.texts, strict=True))},
             "predictions": [{"model_version": answered.version, "result": _results(answered.task, number, row),
                              **({} if row.certainty is None else {"score": row.certainty})}]}
            for number, row in enumerate(rows, start=1)]


def _text_columns(answered):
    """Return the columns that hold the texts."""
    used = [name for role, name in answered.rows.source.columns.items() if role.startswith("text")]
    return used if len(used) == len(answered.task.reads) else {
        "answer": ["question", "context"]}.get(answered.task.name, ["text", "second"][:len(answered.task.reads)])


def _configuration(answered, columns):
    task = answered.task
    shown = [("question", "text") if task.name == "answer" else ("text", "second")][0]
    lines = [f"  <Text name={quoteattr(name)} value={quoteattr('$' + column)}/>"
             for name, column in zip(shown, columns, strict=False)]
    if task.name == "score":
        return "\n".join(["<View>", *lines, '  <Number name="label" toName="text"/>', "</View>"])
    if task.name == "classify":
        many = "multiple" if task.multi_label else "single"
        control, item, names = f'Choices name="label" toName="text" choice="{many}"', "Choice", task.labels
    else:
        kinds = ["answer"] if task.name == "answer" else sorted({label[2:] for label in task.labels} - {""})
        control, item, names = 'Labels name="label" toName="text"', "Label", kinds
    inner = [f"    <{item} value={quoteattr(name)}/>" for name in names]
    return "\n".join(["<View>", *lines, f"  <{control}>", *inner, f"  </{control.split()[0]}>", "</View>"])


def _results(task, number, row):
    """Return the results of a prediction."""
    common = {"from_name": "label", "to_name": "text"}
    if task.name == "score":
        return [{"id": f"{number}-1", **common, "type": "number", "value": {"number": row.answer["score"]}}]
    if task.name == "classify":
        shares = [row.answer["probabilities"][label] for label in row.labels]
        return [{"id": f"{number}-1", **common, "type": "choices", "value": {"choices": list(row.labels)},
                 "score": min(shares)}] if shares else []
    text = row.texts[-1]
    return [{"id": f"{number}-{place}", **common, "type": "labels", "score": score,
             "value": {"start": start, "end": end, "text": text[start:end], "labels": [kind]}}
            for place, (start, end, kind, score) in enumerate(row.spans, start=1)]


def _prodigy(answered, rows):
    """Return tasks for ner_manual (with tokens) and choice, https://prodi.gy/docs/api-interfaces#ner_manual, #choice.

    Places count code points, as Python does. The model, its score and the file's columns stand in "meta", which is
    shown below each task.
    """
    read = answered.rows.source.columns.values()
    for row in rows:
        meta = {"model": answered.version, "score": row.certainty, **_beside(row, ("model", "score"), read)}
        made = {"text": row.texts[0], "meta": meta}
        if answered.task.name == "tag":
            yield made | _tokens(row)
        else:
            choose = answered.task.name == "choose"
            options = list(enumerate(row.texts[1:])) if choose else [(name, name) for name in answered.task.labels]
            many = not choose and answered.task.multi_label
            yield made | {"options": [{"id": name, "text": text} for name, text in options],
                          "accept": [row.answer["choice"]] if choose else list(row.labels),
                          "config": {"choice_style": "multiple" if many else "single"}}


def _tokens(row):
    """Return the tokens of a text, parted where an entity begins or ends, and the spans on them."""
    text, ends = row.texts[0], sorted({place for start, end, *_ in row.spans for place in (start, end)})
    parts = []
    for start, end in words(text):
        cuts = [start, *(place for place in ends if start < place < end), end]
        parts += zip(cuts, cuts[1:], strict=False)
    tokens = [{"text": text[start:end], "start": start, "end": end, "id": number, "ws": text[end:end + 1].isspace()}
              for number, (start, end) in enumerate(parts)]
    first, last = ({token[side]: token["id"] for token in tokens} for side in ("start", "end"))
    return {"tokens": tokens, "spans": [
        {"start": start, "end": end, "token_start": first[start], "token_end": last[end], "label": kind,
         "score": score} for start, end, kind, score in row.spans]}


def _doccano(answered, rows):
    """Return rows with "label", https://doccano.github.io/doccano/tutorial; places count UTF-16 (its issue 2290).

    What else stands in a row doccano keeps and exports again, so it holds what doccano's own form does not tell.
    """
    read = answered.rows.source.columns.values()
    taken = ("text", "label", "model_version", "score", UTF16_KEY, SINGLE_KEY)
    for row in rows:
        text = row.texts[0]
        made = {"text": text, "label": list(row.labels) if answered.task.name == "classify" else [
            [utf16_place(text, start), utf16_place(text, end), kind] for start, end, kind, _ in row.spans]}
        told = {UTF16_KEY: "UTF-16"} if answered.task.name == "tag" else {} if answered.task.multi_label else {
            SINGLE_KEY: True}
        yield made | {"model_version": answered.version, "score": row.certainty} | told | _beside(row, taken, read)


class _Tool(NamedTuple):
    """A tool: what writes its rows, the tasks that it has a form for, its files' suffix, whether it shows pairs."""

    write: Callable[..., Any]
    tasks: tuple[str, ...]
    suffix: str
    pairs: bool = False


TOOLS = {"labelstudio": _Tool(_label_studio, ("classify", "tag", "answer", "score"), ".json", True),
         "prodigy": _Tool(_prodigy, ("classify", "tag", "choose"), ".jsonl"),
         "doccano": _Tool(_doccano, ("classify", "tag"), ".jsonl")}
