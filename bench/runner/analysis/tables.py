"""Markdown tables: every figure of every subject, and the aims."""
from .aims import Beside, Limit
from .verdicts import Verdict

NONE = "–"
# Of ratios that are judged: with two, "0.85" could be missed by 0.852.
RATIO_DIGITS = 3
MARKS = {Verdict.MET: "**met**", Verdict.WITHIN: "met (the interval contains it)", Verdict.MISSED: "**missed**",
         Verdict.UNKNOWN: "not measured"}


def number(value, digits):
    return f"{value:,.{digits}f}"


def spread(found, digits):
    """The median, and what it lies between: the rounds of one run, or the medians of several."""
    if found is None:
        return NONE
    low, high = (found.low, found.high) if found.runs == 1 else (found.least, found.most)
    return _interval(found.median, low, high, digits)


def interval(found, digits=2):
    """The median, with the interval over the rounds by which aims are judged."""
    return _interval(found.median, found.lower, found.upper, digits) if found else NONE


def _interval(median, low, high, digits):
    shown = [number(value, digits) for value in (median, low, high)]
    return shown[0] if shown[0] == shown[1] == shown[2] else f"{shown[0]} ({shown[1]}–{shown[2]})"


def figures(series, shown):
    """`shown` figures of all subjects that have any of them."""
    subjects = [name for name in series.subjects if any(series.value(figure.key, name) for figure in shown)]
    rivals = any(series.to_best_peer(figure.key) for figure in shown)
    header = ["figure", "better", *subjects] + (["sluice / best peer"] if rivals else [])
    rows = []
    for figure in shown:
        cells = [figure.title, figure.better]
        cells += [spread(series.value(figure.key, subject), figure.digits) for subject in subjects]
        if rivals:
            cells.append(_ratio(series.to_best_peer(figure.key)))
        rows.append(cells)
    return table(header, rows, text=(0, 1))


def _ratio(found):
    return f"{interval(found.estimate)} {', '.join(found.references)}" if found else NONE


def aims(judged):
    header = ["aim", "at most", "found (interval over the rounds)", "beside", ""]
    return table(header, [[each.aim.what, limit(each.aim), _found(each), _beside(each), _verdict(each)] for each in judged],
                 text=(0, 3, 4))


def _verdict(judged):
    stretch = getattr(judged.aim, "stretch", None)
    reached = stretch is not None and judged.estimate and judged.estimate.median <= stretch
    return MARKS[judged.verdict] + (", the stretch too" if reached else "")


def limit(aim):
    if isinstance(aim, Limit):
        return f"{aim.most:g} {aim.unit}".strip()
    if isinstance(aim, Beside) and aim.stretch is not None:
        return f"{aim.most:.2f} (stretch {aim.stretch:.2f})"
    return f"{aim.most:.2f}"


def _found(judged):
    if isinstance(judged.aim, Limit):
        digits = 0 if judged.aim.exact else 2
        return f"{interval(judged.estimate, digits)} {judged.aim.unit}".strip() if judged.estimate else NONE
    return interval(judged.estimate, RATIO_DIGITS)


def _beside(judged):
    if not isinstance(judged.aim, Beside):
        return "itself" if not isinstance(judged.aim, Limit) else NONE
    parts = [", ".join(judged.references)] if judged.references else []
    if judged.beside:
        found = interval(judged.beside.estimate, RATIO_DIGITS)
        parts.append(f"on another TLS library, {', '.join(judged.beside.references)}: {found}")
    return "; ".join(parts) or NONE


def table(header, rows, text):
    """`text`: the places of the columns that hold words; the others hold numbers."""
    rule = ["---" if place in text else "---:" for place in range(len(header))]
    return [f"| {' | '.join(row)} |" for row in (header, rule, *rows)]
