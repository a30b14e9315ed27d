"""One pre-training run, from its first step, or from where it was interrupted, to the bundle that it leaves."""

import atexit
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from bertkit.card import Card, json_value
from bertkit.checkpoints import bundle
from bertkit.corpus.rows import check_pairs, one_segment
from bertkit.corpus.sampler import CorpusSampler, PhasedSampler
from bertkit.corpus.shards import MANIFEST, Shards
from bertkit.data.features import check_fit
from bertkit.encoder import supports_packing
from bertkit.errors import Error
from bertkit.files.atomic import sha256
from bertkit.files.lock import hold, release
from bertkit.pretraining.config import PretrainConfig
from bertkit.pretraining.eval_split import held_out
from bertkit.pretraining.folder import Folder
from bertkit.pretraining.loss_summary import LossSummary
from bertkit.pretraining.named import SIZES
from bertkit.pretraining.tensorboard import PretrainingTensorBoard
from bertkit.report.curves import render_curves
from bertkit.report.page import render_document
from bertkit.text import Tokenizer
from bertkit.training.history import history
from bertkit.training.lamb import LAMB
from bertkit.training.optimizer import AdamW
from bertkit.training.progress import Progress
from bertkit.training.resume import Resume
from bertkit.training.run import check_rate_and_seed
from bertkit.training.schedules import WarmupLinear
from bertkit.training.summaries import flat_settings

OPTIMIZERS = {"adamw": AdamW, "lamb": LAMB}


class PretrainingRun:
    """What surrounds a recipe's `compile` and `fit`: checks, batches, callbacks, and the bundle that the run leaves.

    A recipe gives it all that its `main` takes. `data`, `steps` and `batch_size` have one entry for each phase. Every
    random draw is fixed by `seed`.

    Args:
        data: The folders of the corpora.
        out: The folder of the run, which is a bundle at the end.
        steps: The number of steps of each phase.
        batch_size: Rows of a step, for each phase or for all.
        learning_rate: The highest learning rate.
        save_every: Steps between two saved states.
        seed: The seed of all random draws.
        knobs: The `PretrainConfig`.
        vocabulary: The path of the vocabulary.
        dev: The folder of a corpus of held-out text.
        config: The name of a size or the path of a config, for a new encoder.
        model: The path of a checkpoint to go on from.
        others: The recipe's other arguments, which the card records.

    Raises:
        Error: when an argument trains nothing or fits no other, and when `out` holds something else.
    """

    def __init__(self, data: Sequence[str], out: str | Path, steps: Sequence[int], batch_size: list[int],
                 learning_rate: float, save_every: int, seed: int, knobs: PretrainConfig, vocabulary: str | Path,
                 dev: str | None = None, config: str | None = None, model: str | None = None, **others: Any) -> None:
        check_rate_and_seed(learning_rate, seed)
        sizes = batch_size * (len(data) if len(batch_size) == 1 else 1)
        if not len(data) == len(steps) == len(sizes):
            raise Error(f"{len(data)} corpora came with {len(steps)} numbers of steps and {len(batch_size)} batch "
                        "sizes; give as many of each: one for each phase.")
        if model and knobs.dropout is not None:
            raise Error(f"dropout={knobs.dropout} does nothing for {model}, which has its own dropout; leave it out.")
        if min(*steps, save_every) < 1:
            raise Error(f"steps={steps} and save_every={save_every} came; give 1 or more.")
        self.shards, self.steps, self.batch_sizes = [Shards(folder) for folder in data], steps, sizes
        self.dev = None if dev is None else Shards(dev)
        self.learning_rate, self.save_every, self.seed, self.settings = learning_rate, save_every, seed, knobs
        self.folder = Folder(out)
        if not Path(vocabulary).exists():
            raise Error(f"{vocabulary} is missing; give the vocabulary that the corpus was made with.")
        Tokenizer.load(vocabulary)              # a folder of something else is not summed up for hours
        if config and config not in SIZES and not Path(config).is_file():
            raise Error(f"config={config} is no size and no file; give {', '.join(SIZES)}, or a config.json.")
        sums = [sha256(shards.folder / MANIFEST) for shards in (*self.shards, *filter(None, [self.dev]))]
        begun = {"config": config, "model": model}          # a file or folder is identified by its contents
        begun |= {"teacher": knobs.teacher, "matches": knobs.matches} if knobs.teacher else {}
        begun |= {name: sha256(path) for name, path in begun.items()
                  if path and path not in SIZES and Path(path).exists()}
        self.knobs = json_value({**others, **begun, "steps": steps, "batch_size": sizes,
                                 "learning_rate": learning_rate, "seed": seed, "knobs": knobs.weight_settings(),
                                 "vocabulary": sha256(vocabulary), "data": sums})
        keras.utils.set_random_seed(seed)

    def finished(self) -> dict[str, Any] | None:
        """Return what a finished run of the same arguments measured.

        Returns:
            What `evaluate_and_save` returned, or None where the run is not finished.

        Raises:
            Error: when the folder holds a finished run of other arguments.
        """
        if not self.folder.finished:
            return None
        card = self.folder.card()
        if card["knobs"] != self.knobs:
            raise Error(f"{self.folder.path} holds a finished run with other knobs or data; choose another --out, or "
                        "go on from it with --model.")
        return card["training"]

    def prepare(self, pretrainer: Any, tokenizer: Tokenizer, place: Any) -> None:
        """Take the model, and plan the batches of which this process trains on its part.

        Args:
            pretrainer: The `Pretrainer`.
            tokenizer: The `Tokenizer` of the corpus.
            place: The `Place` of this process, see `bertkit.distribution`.

        Raises:
            Error: when the corpus does not fit the model, and when texts cannot be packed.
        """
        self.model, self.tokenizer, self.place = pretrainer, tokenizer, place
        for shards in filter(None, (*self.shards, self.dev)):
            check_fit(tokenizer, pretrainer.encoder.config, shards.metadata["length"])
        arrange = pretrainer.arrange or one_segment
        for shards in self.shards:
            check_pairs(shards, arrange)
        if self.settings.pack and (arrange is not one_segment or not supports_packing(pretrainer.encoder.config)):
            raise Error("pack puts several texts in a row, which this objective or encoder cannot keep apart; leave it "
                        "out.")
        samplers = (CorpusSampler(shards, tokenizer, size, self.seed, arrange, self.settings.masks, place.part,
                                  self.settings.pack)
                    for shards, size in zip(self.shards, self.batch_sizes, strict=True))
        self.phases = PhasedSampler(tuple(samplers), tuple(self.steps))
        self.held_out_rows = self.dev and CorpusSampler(self.dev, tokenizer, min(64, len(self.dev)), 0, arrange)

    def optimizer(self) -> Any:
        """Make the optimizer for all steps of the run, with warm-up and decay.

        Returns:
            A Keras optimizer.

        Raises:
            Error: when `accumulate` is larger than the number of steps.
        """
        settings = self.settings
        updates = self.phases.total // settings.accumulate
        if not updates:
            raise Error(f"accumulate={settings.accumulate} batches make one update, and the run has "
                        f"{self.phases.total}; give a smaller number or more steps.")
        options: dict[str, Any] = {}
        options |= {"gradient_accumulation_steps": settings.accumulate} if settings.accumulate > 1 else {}
        options |= {"use_ema": True, "ema_momentum": settings.ema} if settings.ema else {}
        return OPTIMIZERS[settings.optimizer](
            WarmupLinear(self.learning_rate, updates, settings.warmup), weight_decay=settings.weight_decay,
            global_clipnorm=settings.clip_norm, **options)

    def resume(self) -> int:
        """Put an interrupted run's state into the compiled model.

        Returns:
            The steps that it has done, 0 for a new run.

        Raises:
            Error: when another process works in the folder, or has finished the run meanwhile.
        """
        if self.place.chief:                # several workers of one run share its folder
            hold(self.folder.path)
            atexit.register(self.folder.tidy)
        if self.folder.finished:
            raise Error(f"{self.folder.path} was finished by another run meanwhile; the same command again returns "
                        "what that run measured.")
        self.tally = LossSummary(self.phases.total)
        self.state = Resume(self.folder.path, self.knobs, self.tally, self.save_every, "refuse", self.phases.total,
                            self.place.chief)
        done = self.state.restore(self.model)
        self.place.begin(self.model, done)
        return done

    def dataset(self, done: int = 0) -> Any:
        """Make the batches that are still to come.

        Args:
            done: The steps that were done.

        Returns:
            A `tf.data.Dataset` of `phases.total - done` batches.
        """
        return self.model.dataset(self.phases, done, self.phases.total - done)

    def callbacks(self, done: int = 0) -> list[Any]:
        """Make the callbacks of `fit()`: losses, the state to resume from, TensorBoard, progress.

        Args:
            done: The steps that were done.

        Returns:
            The callbacks; of several workers only the chief writes and prints.
        """
        if not self.place.chief:
            return [self.tally, self.state]
        board = PretrainingTensorBoard(self.folder.logs, self.phases, self.tokenizer, self.held_out_rows,
                                       self.settings, done, flat_settings(self.knobs | self.knobs["knobs"]))
        return [self.tally, board, self.state, Progress(self.phases.total, done)]

    def evaluate_and_save(self, recipe: str) -> dict[str, Any]:
        """Score the held-out text, write the bundle and remove the states.

        Of several workers the chief does so; the others return the losses alone.

        Args:
            recipe: The path of the recipe, for the card.

        Returns:
            {"steps", "first_loss", "last_loss"}, and "held_out" where there is held-out text.
        """
        measured = self.tally.means()
        if not self.place.chief:
            return measured
        if self.held_out_rows:
            measured["held_out"] = held_out(self.model, self.held_out_rows)
        model = self.model.model
        card = Card(name=self.folder.path.name, task="pretrain", recipe=recipe, knobs=self.knobs, training=measured,
                    data={str(shards.folder): {name: shards.metadata[name] for name in ("text", "segments", "tokens")}
                          for shards in self.shards},
                    model={**bundle.describe(model), "encoder": model.encoder.config.to_json()})
        curves = render_curves(history(self.folder.logs), caption="Losses are means since the point before.")
        page = render_document(f"{card.name}: pre-training", curves)
        length = self.phases.samplers[-1].length
        self.folder.save_bundle(model, self.tokenizer, card, None, length, None, None, page)
        release(self.folder.path)
        return measured
