"""One plot for each group of measures: a small chart for each figure, side by side."""
import itertools

import matplotlib.pyplot as plt

from . import panel, style

COLUMNS = 2
# Heights and widths in points: under a chart; left of the first and between two, where labels are short or long.
FOOT, RIGHT = 22, 8
SHORT = 8
EDGES = {True: (54, 70), False: (92, 104)}


def draw(series, figures, path, title):
    """Draws the figures of a group; `title` is what a screen reader says."""
    found = [(figure, panel.bars(series, figure)) for figure in figures if not series.is_form(figure.key)]
    found = [(figure, bars) for figure, bars in found if bars]
    short = all(len(bar.label) <= SHORT for _, bars in found for bar in bars)
    edge, between = EDGES[short]
    width = (style.WIDTH - edge - RIGHT - (COLUMNS - 1) * between) / COLUMNS
    rows = [[panel.Panel(figure, bars, width) for figure, bars in row] for row in _rows(found)]
    total = sum(_height(row) for row in rows)
    with plt.rc_context(style.settings()):
        page = plt.figure(figsize=(style.WIDTH / 72, total / 72))
        top = total
        for row in rows:
            for column, each in enumerate(row):
                left, bottom = edge + column * (width + between), top - _head(row) - each.height
                each.draw(page.add_axes((left / style.WIDTH, bottom / total, width / style.WIDTH, each.height / total)))
            top -= _height(row)
        style.save(page, path, title)


def _rows(found):
    """Each measure begins a row of its own."""
    for _, those in itertools.groupby(found, key=lambda each: each[0].measure):
        those = list(those)
        yield from (those[at:at + COLUMNS] for at in range(0, len(those), COLUMNS))


def _head(row):
    return max(each.head for each in row)


def _height(row):
    return _head(row) + max(each.height for each in row) + FOOT
