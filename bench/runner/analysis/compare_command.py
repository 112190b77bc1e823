"""The command line of bench/compare."""
import argparse
import pathlib
import sys

from ..failure import Failure
from . import comparison, reading, tables
from .chance import RARE
from .comparison import ROUNDS, Change
from .reading import OLDER, OURS

ABOUT = f"""What changed in sluice's figures from result A to result B, beyond the noise.

For each figure of ours: its own change; the peers' change, which is the machine's mood; and ours beside theirs: each
round's value is divided by the geometric mean of the same round's peers. A change is called a regression or a gain if

  1. chance alone would part the rounds of A and B as clearly at most once in {1 / RARE:.0f} times (exact rank test of Mann and
     Whitney on the values beside the peers); with 3 or 4 rounds each, which can't show that, if the gap between them is wider
     than the rounds of either are apart,
  2. it is at least --tie percent, and
  3. no peer moved as far beside the other peers. With one peer only: if our own value shows it, too.

Otherwise it is noise. "unclear" is what the results can't tell: fewer than {ROUNDS} rounds, no peer in both, other sizes.
Of dozens of figures chance may still flag one: take a flag as a reason to measure again. Peers whose version, TLS library or
configuration differs are left out.

One result alone, of a run with --against: the change from that build to sluice's. The ratio is formed in each round (Wilcoxon's
signed ranks against 1; below 7 rounds, the gap to 1 has to be wider than the rounds are apart: take 9), and needs no peers."""


def _percent(text):
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"'{text}'; allowed: 0 to 100")
    return value / 100


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/compare", description=ABOUT,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("a", metavar="A", type=pathlib.Path, help="the earlier result, or one of a run with --against")
    parser.add_argument("b", metavar="B", type=pathlib.Path, nargs="?", help="the later result")
    parser.add_argument("--tie", metavar="PERCENT", type=_percent, default=0.03,
                        help="changes below are ties (default: 3)")
    parser.add_argument("--fail-on-regression", action="store_true", help="exit with 1 if there is a regression")
    return parser.parse_args(arguments)


def _compared(options):
    """Returns the rows, and what to know about them."""
    before = reading.read(options.a)
    if options.b is None:
        if OLDER not in before.subjects or OURS not in before.subjects:
            raise Failure(f"{options.a}: not of a run with --against, where two builds took turns; name a second result")
        notes = [f"from {OLDER}: {before.subjects[OLDER].version}", f"to {OURS}: {before.subjects[OURS].version}"]
        return comparison.builds(before, options.tie), notes
    after = reading.read(options.b)
    for result, path in (before, options.a), (after, options.b):
        if OURS not in result.subjects:
            raise Failure(f"{path}: sluice was not measured in it")
    notes = [f"{name}: {result.name}, {result.date}, {result.subjects[OURS].version}, {result.subjects[OURS].tls}; load average "
             f"{result.load_average['before']:.2f} before" for name, result in (("A", before), ("B", after))]
    return comparison.between(before, after, options.tie), notes + [f"note: {each}" for each in comparison.unlike(before, after)]


def _table(rows, of_builds):
    header = ["figure", "better", "A", "B", "own change", "peers' change", "beside the peers", "chance", ""]
    if of_builds:
        header[2:4] = [OLDER, OURS]
        header[6] = "in the same round"
    cells = [[row.figure.title, row.figure.better, tables.number(row.before, row.figure.digits),
              tables.number(row.after, row.figure.digits), _change(row.own), _change(row.peers), _change(row.beside),
              tables.NONE if row.chance is None else f"{row.chance:.3f}", _verdict(row)] for row in rows]
    if of_builds:
        for row in [header, *cells]:
            del row[5]
    return tables.table(header, cells, text=(0, 1, len(header) - 1))


def _change(factor):
    return tables.NONE if factor is None else f"{(factor - 1) * 100:+.1f} %"


def _verdict(row):
    flagged = row.change in (Change.REGRESSION, Change.GAIN)
    return (f"**{row.change.value}**" if flagged else row.change.value) + (f" ({row.why})" if row.why else "")


def main(arguments=None):
    options = _parse(arguments)
    try:
        rows, notes = _compared(options)
        if not rows:
            raise Failure("no figure of sluice is in both")
    except Failure as failure:
        print(f"bench/compare: {failure}", file=sys.stderr)
        return 2
    print("\n".join([*(f"- {note}" for note in notes), "", *_table(rows, options.b is None), ""]))
    counts = {change: sum(row.change is change for row in rows) for change in Change}
    print(", ".join(f"{count} {change.value}" for change, count in counts.items()) + f" of {len(rows)} figures")
    return 1 if options.fail_on_regression and counts[Change.REGRESSION] else 0
