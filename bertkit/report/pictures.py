"""Pictures of numbers as arrays of pixels, for TensorBoard: a confusion matrix, a reliability diagram."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bertkit.metrics.calibration import calibration_error, reliability

MOST_NAMED = 32     # classes whose names and counts a picture of 2400 pixels holds
BLUE, ORANGE = (24, 79, 149), (216, 112, 32)
SIDE, MARGIN = 360, 56      # of the reliability diagram, in pixels


def confusion_picture(counts: Any, labels: Sequence[str], cell: int = 72, margin: int = 120) -> np.ndarray:
    """Return a confusion matrix as a picture.

    A cell is the darker the larger its share of its row. With more than `MOST_NAMED` classes the picture has cells
    alone, no names and no counts.

    Args:
        counts: Counts [C,C], rows true, columns predicted.
        labels: Names of the classes, C.
        cell: Width of a cell in pixels.
        margin: Width of the space for names in pixels.

    Returns:
        uint8 [height, width, 3].

    >>> confusion_picture([[3, 1], [0, 2]], ["no", "yes"]).shape
    (264, 264, 3)
    """
    counts = np.asarray(counts)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if len(labels) > MOST_NAMED:
        size = max(1, MOST_NAMED * cell // len(labels))
        return _blue(shares).repeat(size, axis=0).repeat(size, axis=1)
    side = margin + cell * len(labels)
    picture = Image.new("RGB", (side, side), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=14)
    draw.text((6, 6), "true \\ predicted", fill="black", font=font)
    for i, label in enumerate(labels):
        middle = margin + cell * i + cell // 2
        draw.text((6, middle), label[:14], fill="black", font=font, anchor="lm")
        draw.text((middle, margin - 10), label[:9], fill="black", font=font, anchor="ms")
        for j in range(len(labels)):
            _draw_cell(draw, font, (margin + cell * j, margin + cell * i), cell, counts[i, j], shares[i, j])
    return np.asarray(picture)


def _blue(shares):
    """Return a colour for each share [...], uint8 [...,3]."""
    return (255 - np.asarray(shares)[..., None] * (255 - np.array(BLUE))).astype("uint8")


def _draw_cell(draw, font, corner, cell, count, share):
    x, y = corner
    draw.rectangle((x, y, x + cell - 2, y + cell - 2), fill=tuple(_blue(share).tolist()))
    draw.text((x + cell // 2, y + cell // 2), str(int(count)), fill="white" if share > 0.5 else "black", font=font,
              anchor="mm")


def calibration_picture(labels: Any, probabilities: Any) -> np.ndarray:
    """Return a reliability diagram (Guo et al. 2017, figure 1) as a picture.

    A bar shows how many of the decisions of a bin of confidence are right; a line shows their mean confidence.

    Args:
        labels: Class numbers int [B].
        probabilities: float [B,C].

    Returns:
        uint8 [height, width, 3].

    >>> calibration_picture([0, 1], [[0.75, 0.25], [0.75, 0.25]]).shape
    (472, 472, 3)
    """
    size = SIDE + 2 * MARGIN
    picture = Image.new("RGB", (size, size), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=14)
    for row in filter(lambda row: row["rows"], reliability(labels, probabilities)):
        (left, top), (right, foot) = _place(row["low"], row["accuracy"]), _place(row["high"], 0)
        draw.rectangle((left + 1, top, right - 1, foot), fill=BLUE)
        height = _place(0, row["confidence"])[1]
        draw.line((left + 1, height, right - 1, height), fill=ORANGE, width=3)
    draw.line((*_place(0, 0), *_place(1, 1)), fill="gray")
    draw.rectangle((*_place(0, 1), *_place(1, 0)), outline="black")
    for tick in (0.0, 0.5, 1.0):
        (x, foot), (left, y) = _place(tick, 0), _place(0, tick)
        draw.text((x, foot + 6), f"{tick:g}", fill="black", font=font, anchor="mt")
        draw.text((left - 6, y), f"{tick:g}", fill="black", font=font, anchor="rm")
    said = f"share that is right (bars); calibration error {calibration_error(labels, probabilities):.3f}"
    draw.text((MARGIN, MARGIN - 24), said, fill="black", font=font)
    draw.text((size - MARGIN, size - 20), "confidence (orange: its mean)", fill="black", font=font, anchor="rm")
    return np.asarray(picture)


def _place(across, up):
    """Return the pixel of a point of the unit square."""
    return round(MARGIN + across * SIDE), round(MARGIN + (1 - up) * SIDE)
