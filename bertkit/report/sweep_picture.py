"""A sweep as a picture: a line for each setting, a dot for each seed, a bar for mean ± spread."""

from html import escape
from typing import Any

WIDTH, LEFT, RIGHT, ROW, TOP = 900, 330, 30, 30, 34


def draw_sweep(summary: dict[str, Any]) -> str:
    """Return the picture of a sweep's summary, its best setting at the top.

    Args:
        summary: What `report.sweep.summary` returned.

    Returns:
        SVG; "" where nothing has a score.
    """
    settings = [setting for setting in summary["settings"] if setting["scores"]]
    if not settings:
        return ""
    low, high = _limits(settings)

    def x(score):
        return LEFT + (score - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    height = TOP + ROW * len(settings) + 40
    parts = [_axis(x, low, high, height, summary["metric"])]
    parts += [_line(x, setting, TOP + ROW * i + ROW / 2) for i, setting in enumerate(settings)]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-size="13" '
            f'font-family="system-ui, sans-serif">{"".join(parts)}</svg>')


def _limits(settings):
    """Return the ends of the axis: a twentieth beyond the extremes of dots and bars."""
    values = [score for setting in settings for score in setting["scores"].values()]
    values += [setting["mean"] + sign * (setting["spread"] or 0) for setting in settings for sign in (-1, 1)]
    room = (max(values) - min(values)) / 20 or 0.01
    return min(values) - room, max(values) + room


def _axis(x, low, high, height, metric):
    ticks = [low + (high - low) * i / 4 for i in range(5)]
    lines = "".join(f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{TOP}" y2="{height - 38}" stroke="#e3e7eb"/>'
                    f'<text x="{x(tick):.1f}" y="{height - 22}" text-anchor="middle" fill="#59636e">{tick:.4g}</text>'
                    for tick in ticks)
    return lines + (f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="18" text-anchor="middle" fill="#59636e">'
                    f'{escape(metric)}: a dot for each seed, a bar for mean ± spread</text>')


def _line(x, setting, y):
    text = setting_name(setting)
    short = text if len(text) <= 46 else text[:45] + "…"
    mean, spread = setting["mean"], setting["spread"] or 0
    bar = (f'<line x1="{x(mean - spread):.1f}" x2="{x(mean + spread):.1f}" y1="{y}" y2="{y}" stroke="#9db4d0" '
           f'stroke-width="6" stroke-linecap="round"/>'
           f'<line x1="{x(mean):.1f}" x2="{x(mean):.1f}" y1="{y - 9}" y2="{y + 9}" stroke="#184f95" stroke-width="2"/>')
    dots = "".join(f'<circle cx="{x(score):.1f}" cy="{y}" r="4.5" fill="#184f95" fill-opacity=".75">'
                   f'<title>{escape(f"seed {seed}: {score:.4f}")}</title></circle>'
                   for seed, score in setting["scores"].items())
    label = f'<text x="{LEFT - 14}" y="{y + 4}" text-anchor="end"><title>{escape(text)}</title>{escape(short)}</text>'
    return label + bar + dots


def setting_name(setting: dict[str, Any]) -> str:
    """Return a setting as text.

    Args:
        setting: {"setting": {name: value}}.

    Returns:
        Such as "epochs=3, seed=1".

    Example:
        >>> setting_name({"setting": {"epochs": "3"}})
        'epochs=3'
    """
    return ", ".join(f"{name}={value}" for name, value in setting["setting"].items()) or "as it is"
