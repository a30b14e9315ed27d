"""The template: where special tokens and segments go, and what is cut when texts are long."""

from dataclasses import asdict, dataclass

from bertkit.errors import Error

FIRST, SECOND = "$first", "$second"


@dataclass(frozen=True)
class Template:
    """Parts (token or text, segment) of one text and of a pair, as data.

    Padding stands on `padding_side` ("right" or "left") and has the segment `padding_segment`.
    Raises Error if a part is malformed or a text is not in the template exactly once.

    >>> bert("[CLS]", "[SEP]").single
    (('[CLS]', 0), ('$first', 0), ('[SEP]', 0))
    """

    single: tuple
    pair: tuple
    padding_side: str = "right"
    padding_segment: int = 0

    def __post_init__(self):
        for name, texts in (("single", [FIRST]), ("pair", [FIRST, SECOND])):
            parts = tuple(_part(part) for part in getattr(self, name))
            if sorted(part for part, _ in parts if part in (FIRST, SECOND)) != texts:
                raise Error(f"The template {name} is {parts}; it must hold "
                            f"{' and '.join(texts)} once.")
            object.__setattr__(self, name, parts)
        if self.padding_side not in ("right", "left"):
            raise Error(f"padding_side is {self.padding_side!r}; give \"right\" or \"left\".")

    def parts(self, paired):
        """Return the parts of a pair, or of one text."""
        return self.pair if paired else self.single

    def places(self, length, paired):
        """Return how many tokens of text fit in `length`; raises Error if the specials do not."""
        special = len(self.parts(paired)) - (2 if paired else 1)
        if length < special:
            raise Error(f"length={length} is too small for the {special} special tokens of "
                        f"{'a pair' if paired else 'a text'}; give {special + 1} or more.")
        return length - special

    def settings(self):
        """Return the fields as JSON."""
        lists = {form: [list(part) for part in getattr(self, form)] for form in ("single", "pair")}
        return asdict(self) | lists


def bert(cls, sep):
    """Return BERT's template: cls first sep second sep (Devlin et al. 2018, section 3)."""
    single = ((cls, 0), (FIRST, 0), (sep, 0))
    return Template(single, (*single, (SECOND, 1), (sep, 1)))


def roberta(cls, sep):
    """Return RoBERTa's template: cls first sep sep second sep, all of one segment (Liu et al. 2019)."""
    single = ((cls, 0), (FIRST, 0), (sep, 0))
    return Template(single, (*single, (sep, 0), (SECOND, 0), (sep, 0)))


def xlnet(cls, sep):
    """Return XLNet's template: first sep second sep cls, padded on the left (Yang et al. 2019)."""
    first, second, last = ((FIRST, 0), (sep, 0)), ((SECOND, 1), (sep, 1)), (cls, 2)
    return Template((*first, last), (*first, *second, last), padding_side="left", padding_segment=3)


def bare():
    """Return the template without special tokens, Reformer's."""
    return Template(((FIRST, 0),), ((FIRST, 0), (SECOND, 1)))


def kept(first, second, places):
    """Return how many tokens of each side of a pair stay: longest first, cut at the end.

    The shorter side keeps min(shorter, places // 2), the longer what is left; on equal lengths the
    second counts as the longer. This is the rule of the library `tokenizers`.

    >>> kept(6, 2, 6), kept(9, 9, 5)
    ((4, 2), (2, 3))
    """
    if first > second:
        return kept(second, first, places)[::-1]
    first = min(first, places // 2)
    return first, min(second, places - first)


def _part(part):
    if (isinstance(part, (list, tuple)) and len(part) == 2 and isinstance(part[0], str)
            and isinstance(part[1], int) and part[1] >= 0):
        return tuple(part)
    raise Error(f"The template part {part!r} is malformed; give a token and a segment number.")
