"""One chart: a figure, and a bar for each subject, with the spread."""
import dataclasses
import math
import textwrap

import matplotlib.pyplot as plt

from . import style, tables
from .reading import OURS
from .series import Estimate

# Heights in points.
BAR, ABOVE, TITLE, UNIT = 17, 10, 12, 10
# Widths in points of a letter on average.
BOLD, SMALL = 5.3, 4.1
# An interval that reaches beyond this many times the highest median is cut off, with an arrow: one stall must not hide the rest.
CUT = 2.2
# How far the axis goes beyond what is drawn: room for the number behind the bar.
ROOM = 1.42


@dataclasses.dataclass(frozen=True)
class Bar:
    subject: str
    label: str
    value: Estimate
    colour: str

    @property
    def weight(self):
        return "bold" if self.subject == OURS else "normal"


def bars(series, figure):
    """A bar for each subject, and for each other form of a peer one below it."""
    colours = style.colours(list(series.subjects))
    found = []
    for subject in series.subjects:
        for key, said in [(figure.key, ""), *series.forms(figure.key)]:
            value = series.value(key, subject)
            if value:
                found.append(Bar(subject, f"{subject}, {said}" if said else subject, value, colours[subject]))
    return found


class Panel:
    """`width` is the chart's in points, from 0 to the end of the axis."""

    def __init__(self, figure, bars, width):
        self._figure = figure
        self._bars = bars
        self._title = textwrap.wrap(figure.what, int(width / BOLD))
        self._unit = textwrap.wrap(f"{figure.unit + ', ' if figure.unit else ''}{figure.better} is better", int(width / SMALL))
        self.height = len(bars) * BAR
        self.head = ABOVE + len(self._title) * TITLE + len(self._unit) * UNIT

    def draw(self, axes):
        highest = max(bar.value.median for bar in self._bars)
        end = min(max(bar.value.high for bar in self._bars), highest * CUT) or 1
        self._frame(axes, end)
        for place, bar in enumerate(self._bars):
            _draw_bar(axes, place, bar, end)
            shown = min(max(bar.value.median, bar.value.high), end)
            axes.annotate(tables.number(bar.value.median, self._figure.digits), (shown, place), (6, 0),
                          textcoords="offset points", va="center", fontweight=bar.weight, fontsize=8)
        for label, bar in zip(axes.get_yticklabels(), self._bars):
            label.set_fontweight(bar.weight)

    def _frame(self, axes, end):
        axes.set_xlim(0, end * ROOM)
        axes.set_ylim(len(self._bars) - 0.5, -0.5)
        axes.set_yticks(range(len(self._bars)), [bar.label for bar in self._bars])
        axes.xaxis.set_major_locator(plt.MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]))
        axes.xaxis.set_major_formatter(lambda value, _: _tick(value))
        axes.tick_params(axis="y", pad=5)
        axes.axvline(0, color=style.QUIET, linewidth=0.8)
        above = {"xycoords": "axes fraction", "textcoords": "offset points"}
        for line, text in enumerate(reversed(self._unit)):
            axes.annotate(text, (0, 1), (0, 5 + line * UNIT), color=style.QUIET, fontsize=7.5, **above)
        for line, text in enumerate(reversed(self._title)):
            axes.annotate(text, (0, 1), (0, 6 + len(self._unit) * UNIT + line * TITLE), fontweight="bold", fontsize=9, **above)


def _draw_bar(axes, place, bar, end):
    axes.barh(place, bar.value.median, height=0.68, color=bar.colour, alpha=1 if bar.subject == OURS else 0.72, linewidth=0)
    low, high = bar.value.low, min(bar.value.high, end)
    cut = bar.value.high > end
    if high > low:
        axes.plot([low, high], [place, place], color=style.INK, linewidth=1, solid_capstyle="butt")
        axes.plot([low], [place], marker="|", color=style.INK, markersize=5, markeredgewidth=1)
        axes.plot([high], [place], marker=">" if cut else "|", color=style.INK, markersize=4 if cut else 5, markeredgewidth=1)
    if bar.value.runs > 1:
        axes.plot([bar.value.least, bar.value.most], [place, place], color=style.INK, linewidth=3, solid_capstyle="butt")


def _tick(value):
    if value >= 1000000:
        return f"{value / 1000000:g}M"
    if value >= 10000:
        return f"{value / 1000:g}k"
    return f"{value:g}" if math.isclose(value, round(value, 6)) else f"{value:.3g}"
