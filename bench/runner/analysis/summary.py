"""The plot of the aims: our ratio to the best peer with its interval, and where it should be."""
import matplotlib.pyplot as plt

from . import style, tables
from .aims import Limit
from .verdicts import Verdict

ROW, HEAD, FOOT = 19, 44, 34
LEFT, RIGHT = 218, 144
LOOKS = {Verdict.MET: (style.MET, "o"), Verdict.WITHIN: (style.WITHIN, "s"), Verdict.MISSED: (style.MISSED, "X")}
SAYS = {Verdict.MET: "met", Verdict.WITHIN: "within the spread", Verdict.MISSED: "missed"}
TICKS = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000)
# And where there is room for them: in a range of less than WIDE.
MORE_TICKS, WIDE = (0.15, 0.5, 0.7, 1.5, 2, 5), 60


def draw(judged, path):
    """Draws the aims that are ratios and were measured; returns whether there was any."""
    shown = [each for each in judged if each.estimate and not isinstance(each.aim, Limit)]
    if not shown:
        return False
    total = len(shown) * ROW + HEAD + FOOT
    with plt.rc_context(style.settings()):
        figure = plt.figure(figsize=(style.WIDTH / 72, total / 72))
        axes = figure.add_axes((LEFT / style.WIDTH, FOOT / total,
                                (style.WIDTH - LEFT - RIGHT) / style.WIDTH, len(shown) * ROW / total))
        _scale(axes, shown)
        for place, each in enumerate(shown):
            _row(axes, place, each)
        _legend(axes)
        style.save(figure, path, "Sluice beside the best peer, and the aims")
    return True


def _scale(axes, shown):
    reached = [value for each in shown for value in (each.estimate.lower, each.estimate.upper, each.aim.most, 1) if value > 0]
    axes.set_xscale("log")
    axes.set_xlim(min(reached) / 1.15, max(reached) * 1.15)
    axes.set_ylim(len(shown) - 0.5, -0.5)
    low, high = axes.get_xlim()
    ticks = [tick for tick in TICKS + (MORE_TICKS if high / low < WIDE else ()) if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(shown)), [each.aim.what for each in shown])
    axes.tick_params(axis="y", pad=6)
    axes.axvline(1, color=style.QUIET, linewidth=1)
    axes.axvspan(axes.get_xlim()[0], 1, color=style.AHEAD, linewidth=0, zorder=0)
    axes.annotate("Sluice / best peer", (0, 1), (10 - LEFT, 26), xycoords="axes fraction", textcoords="offset points",
                  fontweight="bold", fontsize=10)
    axes.set_xlabel("ratio (logarithmic), lower is better; shaded: ahead of every peer", fontsize=7.5)


def _row(axes, place, judged):
    colour, marker = LOOKS[judged.verdict]
    found, aim = judged.estimate, judged.aim
    axes.plot([aim.most, aim.most], [place - 0.36, place + 0.36], color=style.INK, linewidth=2, solid_capstyle="butt", zorder=2)
    axes.plot([found.lower, found.upper], [place, place], color=colour, linewidth=2.4, solid_capstyle="butt", zorder=3)
    axes.plot([found.median], [place], marker=marker, color=colour, markersize=6.5, markeredgecolor="white", markeredgewidth=0.8,
              linestyle="none", zorder=4)
    beside = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points", "va": "center"}
    axes.annotate(tables.number(found.median, tables.RATIO_DIGITS if found.median < 10 else 1), (1, place), (36, 0), ha="right", fontweight="bold", **beside)
    axes.annotate(f"≤ {aim.most:.2f} {SAYS[judged.verdict]}", (1, place), (42, 0), fontsize=7.5,
                  color=colour if judged.verdict is Verdict.MISSED else style.QUIET, **beside)


def _legend(axes):
    handles = [plt.Line2D([], [], color=colour, marker=marker, markersize=6.5, markeredgecolor="white", linewidth=2.4,
                          label=SAYS[verdict])
               for verdict, (colour, marker) in LOOKS.items()]
    handles.append(plt.Line2D([], [], color=style.INK, marker="|", markersize=8, markeredgewidth=2, linestyle="none",
                              label="aim"))
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(-0.03, 1.0), ncols=4, columnspacing=1.2, handletextpad=0.5,
                frameon=False, fontsize=7.5)
