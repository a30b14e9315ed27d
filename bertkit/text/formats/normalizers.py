"""The normalizer of a tokenizer.json, as steps of `Normalizer`, and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertkit.errors import Error
from bertkit.text.formats.huggingface import require
from bertkit.text.unicode.normalize import BERT_FLAGS

SIMPLE = {"NFC": "nfc", "NFD": "nfd", "NFKC": "nfkc", "NFKD": "nfkd", "StripAccents": "accents",
          "Lowercase": "lowercase"}
# Regular expressions that a normalizer replaces, and the steps for them; transformers 5 writes the second for DeBERTa.
REGEXES = {" {2,}": "squeeze", r"\s{2,}|[\n\r\t]": "squeeze_blanks"}


def steps(path: Path, normalizer: dict[str, Any] | None) -> tuple[list[list[str]], str]:
    """Return the steps of a normalizer.

    Args:
        path: the file, for messages.
        normalizer: JSON object of the normalizer, a `Sequence` or one of its parts; None for none.

    Returns:
        A list of the steps of `Normalizer`, and the precompiled character map in base64, "" for none.

    Raises:
        Error: when a part is one that bertkit does not have, or there are two character maps.
    """
    parts = _parts(normalizer)
    charsmaps = [part["precompiled_charsmap"] or "" for part in parts if part["type"] == "Precompiled"]
    if len(charsmaps) > 1:
        raise Error(f"{path}: its normalizer has {len(charsmaps)} character maps, wanted one; "
                    "bertkit does not read such a tokenizer.")
    return [step for part in parts for step in _step(path, part)], "".join(charsmaps)


def normalizer(steps: Sequence[Sequence[str]], charsmap: str = "") -> dict[str, Any] | None:
    """Return the normalizer of steps, which `steps` reads.

    Args:
        steps: the steps of `Normalizer`.
        charsmap: the precompiled character map in base64, "" for none.

    Returns:
        The JSON object of the normalizer; None where there are no steps.
    """
    parts = [_part(step, charsmap) for step in steps]
    return parts[0] if len(parts) == 1 else {"type": "Sequence", "normalizers": parts} if parts else None


def bert(clean: bool, ideographs: bool, accents: bool, lowercase: bool) -> list[str]:
    """Return the step `bert` of `Normalizer` with these flags on or off.

    Args:
        clean: whether control characters are removed and blanks become spaces.
        ideographs: whether each ideograph is a word of its own.
        accents: whether accents are removed.
        lowercase: whether letters become lower case.

    Returns:
        The step.

    Example:
        >>> bert(clean=True, ideographs=True, accents=False, lowercase=False)
        ['bert', 'clean ideographs']
    """
    chosen = zip(BERT_FLAGS, (clean, ideographs, accents, lowercase), strict=True)
    return ["bert", " ".join(flag for flag, on in chosen if on)]


def _parts(normalizer):
    if normalizer is None:
        return []
    if normalizer["type"] == "Sequence":
        return [part for inner in normalizer["normalizers"] for part in _parts(inner)]
    return [normalizer]


def _step(path, part):
    """Return the steps of Normalizer for one part of a normalizer."""
    require(path, "normalizer", part, "BertNormalizer", "Precompiled", "Replace", "Strip", *SIMPLE)
    if part["type"] == "BertNormalizer":
        strip = part.get("strip_accents")             # null means the same as lowercase
        return [bert(part.get("clean_text", True), part.get("handle_chinese_chars", True),
                     part["lowercase"] if strip is None else strip, part["lowercase"])]
    if part["type"] == "Precompiled":
        return [["charsmap"]] if part["precompiled_charsmap"] else []
    if part["type"] == "Strip":
        return [[f"strip_{side}"] for side in ("left", "right") if part[f"strip_{side}"]]
    if part["type"] != "Replace":
        return [[SIMPLE[part["type"]]]]
    ((kind, pattern),) = part["pattern"].items()
    if kind != "String" and pattern not in REGEXES:
        raise Error(f"{path}: its normalizer replaces the regular expression {pattern!r}, wanted "
                    f"{' or '.join(map(repr, REGEXES))}; bertkit does not read such a tokenizer.")
    return [["replace", pattern, part["content"]] if kind == "String" else [REGEXES[pattern], part["content"]]]


def _part(step, charsmap):
    """Return the part of a normalizer for one step of Normalizer, what `_step` reads."""
    name, *values = step
    if name == "charsmap":
        return {"type": "Precompiled", "precompiled_charsmap": charsmap}
    if name == "bert":
        clean, ideographs, accents, lowercase = (flag in values[0].split() for flag in BERT_FLAGS)
        return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": ideographs,
                "strip_accents": accents, "lowercase": lowercase}
    if name.startswith("strip"):
        return {"type": "Strip", "strip_left": name.endswith("left"), "strip_right": name.endswith("right")}
    if name in ("replace", *REGEXES.values()):
        regexes = {step: regex for regex, step in REGEXES.items()}
        pattern = {"String": values[0]} if name == "replace" else {"Regex": regexes[name]}
        return {"type": "Replace", "pattern": pattern, "content": values[-1]}
    return {"type": {name: kind for kind, name in SIMPLE.items()}[name]}
