"""The commands that make a smaller model out of a bundle (see commands.py for what a command is)."""

from typing import Literal

from bertkit.card import Card
from bertkit.data.columns import Columns
from bertkit.training.auto import AUTO, Count, Rate
from bertkit.training.config import TrainConfig


def slim(folder: str, /, train: str, out: str, dev: str | None = None, heads: int | None = None,
         intermediate: int | None = None, layers: str | None = None,
         vocabulary: int | Literal["used"] | None = None, test: str | None = None, epochs: Count = AUTO,
         batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int | None = None, seed: int = 0,
         limit: int | None = None, alpha: float = 0.5, temperature: float = 2.0, columns: Columns = Columns(),
         tuning: TrainConfig = TrainConfig()) -> Card:
    """Remove parts of a bundle's model, train what is left, and leave it as a bundle with its card, which is returned.

    What is left learns from the labels and from what the whole model answers. With --vocabulary used alone nothing is
    trained, because no answer changes.

    folder          a bundle that classify, score, tag, answer, choose or embed left
    train           labelled rows to learn from and to measure on what is important, as the bundle was trained on
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             labelled rows that choose the best epoch; without it some of train are held out
    heads           attention heads that stay in each layer, by the gradient of the loss
    intermediate    feed-forward rows that stay in each layer, by what they add
    layers          the layers that stay, counted from 0, with commas between: 0,2,5
    vocabulary      how many entries stay, the most frequent; used: those of train and dev, special ones, characters
    test            labelled rows that only report
    epochs          passes over the training rows, 0 for none; auto: as many as so few or so many rows ask
    batch_size      rows in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens that a row is cut to, the special ones included; by default as the bundle
    seed            of the rows that importance is measured on, the order of rows and dropout
    limit           take the first rows of train only
    alpha           share of the labels in the loss; the rest is how far the answers are from those of the whole model
    temperature     what the logits of both are divided by before they are compared
    """
    from bertkit.compress import slim as run
    return run(folder, train, out, dev, heads, intermediate, layers, vocabulary, test, epochs, batch_size,
               learning_rate, length, seed, limit, alpha, temperature, columns, tuning)


def distill(teacher: str, /, student: str, train: str, out: str, dev: str | None = None,
            unlabelled: str | None = None, matches: str | None = None, test: str | None = None, epochs: Count = AUTO,
            batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int | None = None, seed: int = 0,
            limit: int | None = None, alpha: float = 0.5, temperature: float = 2.0, progressive: int | None = None,
            augment: int = 0, augmenter: str | None = None, columns: Columns = Columns(),
            tuning: TrainConfig = TrainConfig()) -> Card:
    """Train a student on labels and on what a bundle answers; leave it as a bundle with its card, which is returned.

    Teacher and student each read the texts by their own tokenizer. The card compares both on dev.

    teacher         a bundle that classify, score, tag, answer, choose or embed left
    student         a checkpoint of any family, or sizes: layers=3,hidden=384,heads=6,intermediate=512,vocabulary=8000
    train           labelled rows to learn from, as the teacher was trained on
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             labelled rows that choose the best epoch; without it some of train are held out
    unlabelled      more rows as in train, on which the student follows the teacher; labels in them are not read
    matches         what inside follows what: a JSON file of matches, or distilbert, tinybert, minilm(v2), mobilebert
    test            labelled rows that only report
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      rows in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: as the encoder's width asks
    length          tokens that a row of the student is cut to, the special ones included; by default as the teacher
    seed            of what is new in the student, of measured rows, the order of rows and dropout
    limit           take the first rows of train only
    alpha           share of the labels in the loss; the rest is how far the answers are from those of the teacher
    temperature     what the logits of both are divided by before they are compared
    progressive     epochs for the matches of each layer alone, from the lowest, before the answers (MobileBERT)
    augment         copies of each training row with other words, on which it follows the teacher (TinyBERT: 20)
    augmenter       a masked language model that says which words fit; without it the nearest of the teacher's table
    """
    from bertkit.compress import distill as run
    return run(teacher, student, train, out, dev, unlabelled, matches, test, epochs, batch_size, learning_rate, length,
               seed, limit, alpha, temperature, progressive, augment, augmenter, columns, tuning)


def quantize(folder: str, /, train: str, out: str, dev: str | None = None,
             precision: Literal["int8-full", "int4-small"] = "int8-full", test: str | None = None, epochs: Count = AUTO,
             batch_size: Count = AUTO, learning_rate: Rate = AUTO, length: int | None = None, seed: int = 0,
             limit: int | None = None, columns: Columns = Columns(), tuning: TrainConfig = TrainConfig()) -> Card:
    """Train a bundle to answer in integers as in float, and leave it as a bundle with its card, which is returned.

    The bundle that is left answers in float, and keeps the ranges that its file of this precision takes.

    folder          a bundle that classify, score, tag, answer, choose or embed left
    train           labelled rows as the bundle was trained on; what it learns is its own answers, not the labels
    out             the folder for the bundle; a run under way stands in OUT.tmp, TensorBoard logs in OUT.tmp/logs
    dev             labelled rows: the epoch whose answers to them are nearest is taken; without it some of train
    precision       of the file that it is trained for, by `bertkit export --precision`
    test            labelled rows that only report
    epochs          passes over the training rows; auto: as many as so few or so many rows ask
    batch_size      rows in a step; auto: 16, of many rows 32
    learning_rate   the highest, after the warm-up; auto: half of what fine-tuning takes
    length          tokens that a row is cut to, the special ones included; by default as the bundle
    seed            of the order of rows, and of the rows that ranges are measured on
    limit           take the first rows of train only
    """
    from bertkit.compress import quantize as run
    return run(folder, train, out, dev, precision, test, epochs, batch_size, learning_rate, length, seed, limit,
               columns, tuning)
