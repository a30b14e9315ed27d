"""Where the words of byte-level BPE begin, in TensorFlow: by the rules of GPT-2, and by those of LLaMA 3.

The rules are the regular expressions of `bertkit.text.models.bytelevel`; here every codepoint looks at its neighbours.
"""

from typing import Any

import tensorflow as tf

from bertkit.text.unicode.codepoints import BLANK, LETTER, NUMBER, OTHER

LONG_S = 0x17F                                # an s without regard to case
DIGITS = 3                                    # the most digits of a word of LLaMA 3


def gpt2_starts(codes: Any, kinds: Any, first: Any) -> Any:
    """Return which codepoints begin a word by the rules of GPT-2.

    Args:
        codes: int32 [N], the codepoints of texts that follow each other.
        kinds: int32 [N], the category of each.
        first: bool [N], which begin a text.

    Returns:
        bool [N].
    """
    final = after(first, True)
    new = first | (kinds != before(kinds, -1))
    # The last blank before a word stands apart from the others; if it is a space it goes with the word.
    apart = (kinds == BLANK) & after(new, True) & ~final
    starts = apart | new & ~before(apart & (codes == ord(" ")), False)
    short, long = _endings(starts & (codes == ord("'")) & ~final, after(codes, 0), after(final, True))
    behind = before(short | before(long, False), False)     # the last letter of an ending
    return starts & ~before(short | long, False) | before(behind, False)


def _endings(signs, one, final):
    """Return bool [N] twice: the apostrophes `signs` that begin an English ending of one letter, or of two.

    `one` is the codepoint behind each, and `final` tells where that is the last of its text.
    """
    two = after(one, 0)
    short = [one == ord(c) for c in "stmd"]
    long = [(one == ord(c)) & (two == ord(d)) for c, d in ("re", "ve", "ll")]
    return signs & tf.reduce_any(short, 0), signs & ~final & tf.reduce_any(long, 0)


def llama3_starts(codes: Any, kinds: Any, first: Any) -> Any:
    """Return which codepoints begin a word by the rules of LLaMA 3.

    Args:
        codes: int32 [N], the codepoints of texts that follow each other.
        kinds: int32 [N], the category of each.
        first: bool [N], which begin a text.

    Returns:
        bool [N].
    """
    final, behind = after(first, True), tf.where(after(first, True), -1, after(kinds, -1))
    begins, joined = _blank_starts(codes, kinds, first, behind)
    joins = before(joined, False) & ~first                       # a blank that its word begins with stands before
    sign = (kinds == OTHER) & (first | (before(kinds, -1) != OTHER)) & ~joins
    short, long = _endings(sign & (codes == ord("'")) & ~final, _without_case(after(codes, 0)), after(final, True))
    alone = sign & (behind == LETTER) & ~short & ~long           # one sign before letters belongs to them
    letter = (kinds == LETTER) & (first | (before(kinds, -1) != LETTER)) & ~joins & ~(before(alone, False) & ~first)
    number = (kinds == NUMBER) & (_place_in_run(kinds == NUMBER, first) % DIGITS == 0)
    ending = before(short | before(long, False), False)          # the last letter of an ending
    starts = first | begins | sign | letter | number
    return starts & ~before(short | long, False) & ~before(before(long, False), False) | before(ending, False)


def _blank_starts(codes, kinds, first, behind):
    """Return bool [N] twice: the blanks that begin a word, and those that what follows them belongs to."""
    end = (codes == ord("\r")) | (codes == ord("\n"))
    run = _runs(end, first)
    taken = end & tf.gather(before(kinds == OTHER, False) & ~first, run)         # line ends behind signs are theirs
    blank = (kinds == BLANK) & ~taken
    run = _runs(blank, first)
    ends = tf.cumsum(tf.cast(blank & end, tf.int32))
    total = tf.gather(tf.math.unsorted_segment_max(ends, run, tf.size(run)), run)
    later = total > ends - tf.cast(blank & end, tf.int32)         # a line end of this run stands here or behind
    same = before(blank, False) & ~first                          # the codepoint before is of this run of blanks
    last = blank & ~end & (behind != BLANK) & (behind >= 0)
    joined = last & ((behind == LETTER) | (codes == ord(" ")) & (behind == OTHER))
    return blank & (~same | before(end, False) & ~later | last), joined


def _runs(members, first):
    """Return int32 [N], the place where the run of members that a codepoint is in begins; others are runs of one."""
    begins = first | ~members | ~before(members, False)
    places = tf.where(begins)[:, 0]
    return tf.cast(tf.gather(places, tf.cumsum(tf.cast(begins, tf.int32)) - 1), tf.int32)


def _place_in_run(members, first):
    """Return int32 [N], how many members of its run stand before a codepoint."""
    return tf.range(tf.size(members)) - _runs(members, first)


def _without_case(codes):
    """Return codepoints with the small letter of each of A to Z, and of the long s."""
    codes = tf.where((codes >= ord("A")) & (codes <= ord("Z")), codes + 32, codes)
    return tf.where(codes == LONG_S, ord("s"), codes)


def before(values: Any, first: Any) -> Any:
    """Return the values one place later.

    Args:
        values: a tensor [N].
        first: the value of the first place.

    Returns:
        A tensor [N].
    """
    return tf.concat([[first], values[:-1]], 0)


def after(values: Any, last: Any) -> Any:
    """Return the values one place earlier.

    Args:
        values: a tensor [N].
        last: the value of the last place.

    Returns:
        A tensor [N].
    """
    return tf.concat([values[1:], [last]], 0)


STARTS = {"gpt2": gpt2_starts, "llama3": llama3_starts}
