"""One plot for each group of measures: a small chart for each figure, a bar for each subject."""
import itertools
import math
import textwrap

import matplotlib.pyplot as plt

from . import style, tables
from .reading import OURS

COLUMNS = 2
# Heights in points.
BAR, HEAD, FOOT, LINE = 17, 32, 22, 12
LEFT, RIGHT, BETWEEN = 54, 8, 70
# Of a line of a title.
CHARACTERS = 45
# An interval that reaches beyond this many times the highest median is cut off, with an arrow: one stall must not hide the rest.
CUT = 2.2


def draw(series, figures, path, title):
    """Draws the figures of a group; `title` is what a screen reader says."""
    panels = [(figure, _values(series, figure)) for figure in figures]
    colours = style.colours(list(series.subjects))
    rows = list(_rows(panels))
    heads = [HEAD + (max(len(_lines(each)) for each, _ in row) - 1) * LINE for row in rows]
    heights = [max(len(values) for _, values in row) * BAR + head + FOOT for row, head in zip(rows, heads)]
    total = sum(heights)
    width = (style.WIDTH - LEFT - RIGHT - (COLUMNS - 1) * BETWEEN) / COLUMNS
    with plt.rc_context(style.settings()):
        figure = plt.figure(figsize=(style.WIDTH / 72, total / 72))
        top = total
        for row, head, height in zip(rows, heads, heights):
            for column, (each, values) in enumerate(row):
                bars = len(values) * BAR
                left = LEFT + column * (width + BETWEEN)
                axes = figure.add_axes((left / style.WIDTH, (top - head - bars) / total, width / style.WIDTH, bars / total))
                _panel(axes, each, values, colours)
            top -= height
        style.save(figure, path, title)


def _rows(panels):
    """Each measure begins a row of its own."""
    for _, found in itertools.groupby(panels, key=lambda panel: panel[0].measure):
        found = list(found)
        yield from (found[at:at + COLUMNS] for at in range(0, len(found), COLUMNS))


def _lines(figure):
    """The title, as wide as a chart."""
    return textwrap.wrap(figure.what, CHARACTERS)


def _values(series, figure):
    found = ((subject, series.value(figure.key, subject)) for subject in series.subjects)
    return [(subject, value) for subject, value in found if value]


def _panel(axes, figure, values, colours):
    highest = max(value.median for _, value in values)
    end = min(max(value.high for _, value in values), highest * CUT) or 1
    # Room for the number behind the bar.
    axes.set_xlim(0, end * 1.42)
    axes.set_ylim(len(values) - 0.5, -0.5)
    axes.set_yticks(range(len(values)), [subject for subject, _ in values])
    axes.xaxis.set_major_locator(plt.MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
    axes.xaxis.set_major_formatter(lambda value, _: _tick(value))
    axes.tick_params(axis="y", pad=5)
    axes.axvline(0, color=style.QUIET, linewidth=0.8)
    axes.set_title("\n".join(_lines(figure)), fontweight="bold", pad=15, x=0)
    axes.annotate(f"{figure.unit + ', ' if figure.unit else ''}{figure.better} is better", (0, 1), (0, 5), xycoords="axes fraction",
                  textcoords="offset points", color=style.QUIET, fontsize=7.5)
    for place, (subject, value) in enumerate(values):
        _bar(axes, place, value, end, colours[subject], subject == OURS)
        shown = min(max(value.median, value.high), end)
        axes.annotate(tables.number(value.median, figure.digits), (shown, place), (6, 0), textcoords="offset points",
                      va="center", fontweight="bold" if subject == OURS else "normal", fontsize=8)
    for label, (subject, _) in zip(axes.get_yticklabels(), values):
        label.set_fontweight("bold" if subject == OURS else "normal")


def _bar(axes, place, value, end, colour, ours):
    axes.barh(place, value.median, height=0.68, color=colour, alpha=1 if ours else 0.72, linewidth=0)
    low, high = value.low, min(value.high, end)
    if high > low:
        axes.plot([low, high], [place, place], color=style.INK, linewidth=1, solid_capstyle="butt")
        axes.plot([low], [place], marker="|", color=style.INK, markersize=5, markeredgewidth=1)
        axes.plot([high], [place], marker=">" if value.high > end else "|", color=style.INK,
                  markersize=4 if value.high > end else 5, markeredgewidth=1)
    if value.runs > 1:
        axes.plot([value.least, value.most], [place, place], color=style.INK, linewidth=3, solid_capstyle="butt")


def _tick(value):
    if value >= 1000000:
        return f"{value / 1000000:g}M"
    if value >= 10000:
        return f"{value / 1000:g}k"
    return f"{value:g}" if math.isclose(value, round(value, 6)) else f"{value:.3g}"
