"""An objective of pre-training: a student follows a teacher on the same rows, at masked places and inside."""

from typing import Any

from keras import ops

from bertkit.checkpoints import load, local_folder
from bertkit.compress.matches import ANSWERS, Match, matches_of
from bertkit.compress.soft_targets import check_alpha_and_temperature, divergence_of_classes
from bertkit.compress.trace_pair import TracePair, projection_between
from bertkit.compress.tracing import KeptTrace
from bertkit.corpus.make import fingerprint
from bertkit.encoder import Encoder, entries
from bertkit.errors import Error
from bertkit.objectives.objective import Objective, mean
from bertkit.text import Tokenizer


class FollowTeacher(Objective):
    """T² KL(teacher ‖ student) at the masked places, and the matches of what lies inside: general distillation.

    Sanh et al. 2019 (DistilBERT), section 3, restricted to masked places; Jiao et al. 2019 (TinyBERT), section 3.2,
    without soft targets; Sun et al. 2020 (MobileBERT), section 3.5: α MLM + (1 − α) KD. `share` gives the loss on the
    masked words its α.

    Args:
        teacher: A model with a head for masked words; an `Encoder`, or a model without one, for matches of tokens
            alone.
        alpha: α, the share of the loss on the masked words themselves, 0 to 1.
        temperature: T, above 0.
        matches: What `matches_of` takes; of the answers only the weight is read.

    Raises:
        Error: when α or T is out of range, or a teacher without such a head has nothing to follow.
    """

    def __init__(self, teacher: Any, alpha: float = 0.5, temperature: float = 2.0, matches: Any = None) -> None:
        check_alpha_and_temperature(alpha, temperature)
        self.teacher, self.alpha, self.temperature, self.given = teacher, alpha, temperature, matches
        self.inner = teacher if isinstance(teacher, Encoder) else teacher.encoder
        self.speaks = "mlm" in getattr(teacher, "heads", {})
        self.weights = {"soft": 1 - alpha} if self.speaks else {}
        self.weights |= {"matches": 1.0} if matches else {}
        self.inside: list[Match] = []
        self.kept: KeptTrace | None = None
        self.encoder: Any = None
        self.part: Any = None
        if not self.weights:
            raise Error("The teacher has no head for masked words and there are no matches, so there is nothing to "
                        "follow; give a masked language model, or matches such as minilm.")

    def make_layer(self, encoder: Any) -> Any:
        """Make the projection to the teacher's width, where a match needs one; check the matches.

        Args:
            encoder: The `Encoder` that is trained.

        Returns:
            A Keras layer, which is not saved, or None.

        Raises:
            Error: when a match does not fit the models.
        """
        found = matches_of(self.given, self.inner.config, encoder.config)
        self.inside = [match for match in found if match.of_tokens]
        if self.speaks:
            self.weights["soft"] = (1 - self.alpha) * next(match.weight for match in found if match.teacher == ANSWERS)
        self.encoder, self.kept = encoder, KeptTrace(encoder) if self.inside else None
        return projection_between(self.inner.config, encoder.config, self.inside, "projection_to_teacher")

    def prepare_features(self, features: dict[str, Any], part: Any,
                         training: bool | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Remember the projection; the saved model is given the batch as it is.

        Args:
            features: The batch, {name: tensor}.
            part: What `make_layer` returned.
            training: Not used.

        Returns:
            (the batch, {}).
        """
        self.part = part
        return features, {}

    def losses(self, outputs: dict[str, Any], features: dict[str, Any]) -> dict[str, Any]:
        """Compute the distance from the teacher's answers at the masked places, and the sum of the matches.

        Args:
            outputs: The student's outputs, with "mlm_logits" [B,K,V].
            features: The batch that the objectives before this one corrupted, which the teacher reads too.

        Returns:
            {"soft", "matches"}, float32 scalars; without a head for masked words, or matches, the other alone.
            "matches" is 0 outside of training.
        """
        found = {}
        if self.speaks:
            given = self.teacher(self.teacher.select_entries(features), training=False)
            logits = given["mlm_logits"] if isinstance(given, dict) else given
            apart = divergence_of_classes(ops.stop_gradient(ops.cast(logits, "float32")),
                                          ops.cast(outputs["mlm_logits"], "float32"), self.temperature)
            found["soft"] = mean(apart, features["masked_weights"])
        return found | ({"matches": self._matched(features)} if "matches" in self.weights else {})

    def _matched(self, features):
        ours = None if self.kept is None else self.kept.values
        if ours is None:
            return ops.zeros(())
        rows = {name: value for name, value in features.items() if name in entries(self.inner.config)}
        theirs = self.inner(rows, trace=True, training=False)["trace"]
        pair = TracePair(self.inner, self.encoder, theirs, ours, projection=self.part)
        real = ops.cast(features["padding_mask"], "float32")
        return sum(match.weight * pair.loss(match, real) for match in self.inside)

    def share(self, pretrainer: Any) -> None:
        """Give the loss on the masked words its share α, where the teacher answers there too.

        Args:
            pretrainer: The `Pretrainer`.
        """
        if self.speaks and "mlm" in pretrainer.factors:
            pretrainer.factors["mlm"] *= self.alpha

    def finish(self) -> None:
        """Let the encoder be called as before: no trace is kept."""
        if self.kept is not None:
            self.kept.stop()
            self.kept = None


def follow(address: Any, tokenizer: Tokenizer, names: tuple[str, ...], alpha: float, temperature: float,
           matches: Any = None) -> FollowTeacher:
    """Make the objective of a teacher's address.

    Args:
        address: What `bertkit.load` takes.
        tokenizer: The `Tokenizer` that the corpus was made with.
        names: The names of the other objectives.
        alpha: α.
        temperature: T.
        matches: What `matches_of` takes, or None.

    Returns:
        The objective.

    Raises:
        Error: when the teacher reads other ids than the corpus holds, or the objectives hide no words.
    """
    if {"rtd", "plm"} & set(names):
        raise Error(f"A teacher is followed at masked places, and {names[0]} has none of them; give mlm, with others "
                    "behind commas.")
    own = Tokenizer.load(local_folder(address))
    if fingerprint(own) != fingerprint(tokenizer):
        raise Error(f"The teacher {address} reads a vocabulary of {len(own)} entries, and the corpus holds ids of "
                    f"another one, of {len(tokenizer)}; make the corpus with the teacher's vocabulary.")
    return FollowTeacher(load(address), alpha, temperature, matches)
