"""The commands that look inside: why an answer, two models compared, tests of behaviour, bias. As in commands.py."""

from typing import Any, Literal

from bertkit.data.columns import Columns
from bertkit.inspection.methods import Method


def explain(folder: str, /, data: str | None = None, method: Method = "integrated_gradients",
            target: str | None = None, against: str | None = None, out: str | None = None, compare: bool = False,
            seed: int = 0, skip_bad_rows: bool = False, columns: Columns = Columns()) -> Any:
    """Show which words speak for an answer, and measure whether such scores are true of the model.

    Without --data, --text is the text itself, and --second the second text of a pair.

    folder          a bundle that a recipe left
    data            rows to explain, labelled or not
    method          how the scores are computed
    target          the label that is explained; by default the model's answer to each row
    against         a label in place of which the answer was given: why that one, and not this one
    out             a page to write, which needs no network
    compare         measure the other methods too, and say which one to believe
    seed            of all that is drawn
    skip_bad_rows   go on without rows of data that cannot be used, and say how many
    """
    from bertkit.inspection.asked import inputs_of
    from bertkit.inspection.explanation import explain as run
    from bertkit.predictor import Predictor
    predictor = Predictor(folder)
    found = run(predictor, inputs_of(predictor.task, data, columns, skip_bad_rows), method, target, compare, seed,
                against)
    found.write_page(out)
    return found


def attention(folder: str, /, text: str, second: str | None = None, out: str | None = None) -> Any:
    """Show what each head of a model looks at in a text: all heads, one head, the queries and keys of one token.

    folder   a bundle, or another checkpoint with its tokenizer
    text     the text, or the first text of a pair
    second   the second text of a pair
    out      a page to write, which needs no network
    """
    from bertkit.inspection.views import look
    found = look(folder, [text] if second is None else [text, second])
    found.write_page(out)
    return found


def influence(folder: str, /, train: str, data: str | None = None, most: int = 5, limit: int | None = None,
              skip_bad_rows: bool = False, columns: Columns = Columns()) -> Any:
    """Show which training rows speak for an answer and which against it, and which are most like the text.

    Without --data, --text is the text itself, and --second the second text of a pair.

    folder          a bundle of classify
    train           the labelled rows that it learnt from
    data            rows whose answers are asked about
    most            rows of each kind
    limit           read the first rows of train only
    skip_bad_rows   go on without rows that cannot be used, and say how many
    """
    from bertkit.inspection.asked import inputs_of
    from bertkit.inspection.influences import influence as run
    from bertkit.predictor import Predictor
    predictor = Predictor(folder)
    inputs = inputs_of(predictor.task, data, columns, skip_bad_rows)
    named = columns if data is not None else Columns(label=columns.label)
    return run(predictor, inputs, train, named, most, limit=limit, skip_bad_rows=skip_bad_rows)


def layers(model: str, /, data: str, against: str | None = None, task: Literal["classify", "tag"] = "classify",
           out: str | None = None, limit: int = 1000, length: int = 128, seed: int = 0,
           columns: Columns = Columns()) -> Any:
    """Say what each layer knows of labelled rows, by a linear probe, and how alike the layers of two encoders are.

    model     a checkpoint with its tokenizer
    data      labelled rows: texts or pairs with a class each, or tagged sentences
    against   another checkpoint, such as the one that fine-tuning began with
    task      whether rows have a class (classify) or tags (tag)
    out       a page to write, which needs no network
    limit     read the first rows only
    length    tokens that a text is cut to
    seed      of the rows that are learnt from, and of the control task
    """
    from bertkit.inspection.layers import examine_layers
    found = examine_layers(model, data, against, task, limit, length, seed, columns)
    found.write_page(out)
    return found


def compare(a: str, b: str, /, data: str, out: str | None = None, separator: str = "|", skip_bad_rows: bool = False,
            columns: Columns = Columns()) -> Any:
    """Compare two bundles of one task on the same labelled rows: scores, intervals, the rows where they differ.

    a               a bundle that a recipe left
    b               another one of the same task
    data            labelled rows, in a form that the task's recipe reads
    out             a page to write, which needs no network
    separator       what parts the labels in a cell, for multi-label bundles
    skip_bad_rows   go on without rows that cannot be used, and say how many
    """
    from bertkit.inspection.comparison import compare as run
    found = run(a, b, data, columns, separator=separator, skip_bad_rows=skip_bad_rows)
    found.write_page(out)
    return found


def behave(folder: str, /, tests: str | None = None, data: str | None = None, only: str | None = None,
           fill: str | None = None, cases: str | None = None, out: str | None = None, seed: int = 0,
           skip_bad_rows: bool = False, columns: Columns = Columns()) -> Any:
    """Test how a bundle behaves: a tests file, tests made of your own rows, or both; how many cases fail.

    A row of the file has name, kind (mft, inv, dir), text, and of mft label, inv changed, dir changed and direction
    (see docs/howto/behaviour.md).

    folder          a bundle that a recipe left
    tests           the tests, a .jsonl file with a case or a template a row
    data            your own rows, labelled or not: each is changed in ways that its answer should survive
    only            the changes, with commas between: typos, casing, punctuation, numbers, names, dates, negation
    fill            a checkpoint of a masked language model that fills {mask} in templates
    cases           a .jsonl file to write the cases to that were asked, which --tests takes
    out             a page to write, which needs no network
    seed            of all that is drawn
    skip_bad_rows   go on without rows of data that cannot be used, and say how many
    """
    from bertkit.inspection.asked import cases_of
    from bertkit.inspection.behaviour import behave as run
    from bertkit.predictor import Predictor
    predictor = Predictor(folder)
    asked, notes = cases_of(predictor.task, tests, data, only, fill, seed, columns, skip_bad_rows)
    found = run(predictor, asked, notes)
    if cases is not None:
        from bertkit.data.unlabelled import write_rows
        write_rows(cases, [case.row() for case in asked])
    found.write_page(out)
    return found


def bias(model: str, /, crows_pairs: str | None = None, weat: list[str] | None = None, swaps: str | None = None,
         data: str | None = None, augment: str | None = None, erase: str | None = None, out: str | None = None,
         skip_bad_rows: bool = False, columns: Columns = Columns()) -> Any:
    """Measure what a model makes of groups of people, each number with its interval and with what it does not mean.

    model           a checkpoint with its pre-training head (--crows-pairs), any encoder (--weat), a bundle (--swaps)
    crows_pairs     the file of CrowS-Pairs, or a table with its columns sent_more and sent_less
    weat            files of word lists as WEAT and SEAT are published
    swaps           words to exchange in the rows of --data: two a row, a tab between, no header
    data            rows of the bundle's task; where they are labelled, the errors of both groups are compared
    augment         a .csv, .tsv or .jsonl file to write: the rows of --data and a swapped copy of each, to train on
    erase           a folder to write the bundle to with the groups of --swaps taken out of its last layer (LEACE)
    out             a page to write, which needs no network
    skip_bad_rows   go on without rows of data that cannot be used, and say how many
    """
    from bertkit.inspection.groups import bias as run
    found = run(model, crows_pairs, weat or (), swaps, data, columns, skip_bad_rows, augment, erase)
    found.write_page(out)
    return found
