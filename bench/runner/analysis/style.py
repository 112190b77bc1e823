"""How every plot looks: the same colour for the same subject, colour-blind safe (Okabe and Ito's), text as text, on white so
that it reads in a dark page, too; and the same bytes for the same figures."""
import matplotlib

matplotlib.use("svg")

COLOURS = {"sluice": "#0072B2", "haproxy": "#E69F00", "nginx": "#009E73", "envoy": "#CC79A7", "direct": "#9A9A9A",
           "against": "#56B4E9"}
OTHERS = ("#D55E00", "#B8A800", "#7A5195", "#5C4033")
INK, QUIET, FAINT = "#1F2328", "#59636E", "#D8DEE4"
# Behind what is ahead of every peer.
AHEAD = "#F3F8FC"
MET, WITHIN, MISSED = "#0072B2", "#56B4E9", "#D55E00"

# Width of every plot in points: 800 pixels.
WIDTH = 600


def colours(subjects):
    """By subject, in the order given."""
    others = iter(OTHERS * len(subjects))
    return {name: COLOURS[name] if name in COLOURS else next(others) for name in subjects}


def settings():
    """For `matplotlib.rc_context`."""
    return {
        "svg.hashsalt": "sluice", "svg.fonttype": "none",
        "font.family": ["sans-serif"], "font.sans-serif": ["DejaVu Sans", "Verdana", "Segoe UI", "Helvetica", "Arial"],
        "font.size": 8.5, "text.color": INK, "axes.labelcolor": QUIET, "xtick.color": QUIET, "ytick.color": INK,
        "axes.edgecolor": FAINT, "axes.linewidth": 0.8, "axes.spines.top": False, "axes.spines.right": False,
        "axes.spines.left": False, "axes.titlesize": 9, "axes.titlelocation": "left", "axes.titlepad": 6,
        "axes.axisbelow": True, "axes.grid": True, "axes.grid.axis": "x", "grid.color": "#EAEEF2", "grid.linewidth": 0.8,
        "xtick.major.size": 0, "ytick.major.size": 0, "xtick.labelsize": 7.5, "figure.facecolor": "white",
        "savefig.facecolor": "white",
    }


def save(figure, path, title):
    # Without a date, and with names of elements that don't change, so that the same figures give the same file.
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    matplotlib.pyplot.close(figure)
