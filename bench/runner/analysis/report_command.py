"""The command line of bench/report."""
import argparse
import pathlib
import sys

from ..failure import Failure
from . import document, reading
from .aims import AIMS
from .groups import groups
from .reading import MACHINES_OWN, OURS
from .series import Series
from .verdicts import Verdict, judge

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
RESULTS = REPOSITORY / "bench/results"

ABOUT = """Writes the generated part of docs/benchmarks.md, between its two markers, and its plots from results of bench/run.
Without results named: the newest full run under bench/results, and the others there of the same sluice on the same machine."""


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="bench/report", description=ABOUT)
    parser.add_argument("results", metavar="RESULT", nargs="*", type=pathlib.Path,
                        help="a result as JSON; of several: medians of the runs")
    parser.add_argument("--document", metavar="PATH", type=pathlib.Path, default=REPOSITORY / "docs/benchmarks.md",
                        help="(default: docs/benchmarks.md); plots go into the folder beside it that has its name")
    return parser.parse_args(arguments)


def _chosen(paths):
    """The results to show, by the programs that were measured: the machine's own, or those of another release."""
    found = [reading.read(path) for path in paths or sorted(RESULTS.glob("*.json"))]
    if not paths:
        found = [result for result in found if result.mode == "full" and OURS in result.subjects]
        if not found:
            raise Failure("no result of a full run in bench/results: run `make bench`, or name results")
        newest = max(found, key=lambda result: (result.programs == MACHINES_OWN, result.date))
        found = [result for result in found if _same(result, newest)]
    _check(found)
    chosen = {}
    for result in sorted(found, key=lambda result: (result.programs != MACHINES_OWN, result.programs)):
        chosen.setdefault(result.programs, []).append(result)
    return list(chosen.values())


def _same(one, other):
    return (one.subjects[OURS].version, one.machine["cpu"], one.machine["kernel"]) == \
        (other.subjects[OURS].version, other.machine["cpu"], other.machine["kernel"])


def _check(results):
    """What would make medians of the runs meaningless."""
    for result in results:
        if OURS not in result.subjects:
            raise Failure(f"{result.name}: sluice was not measured in it")
        for what in "cpu", "cores", "kernel":
            if result.machine[what] != results[0].machine[what]:
                raise Failure(f"{result.name} and {results[0].name} are of different machines ({what}: {result.machine[what]}, "
                              f"{results[0].machine[what]}); name results of one")
    dates = [result.date for result in results]
    if len(set(dates)) != len(dates):
        raise Failure("the same run is named twice")


def _part(results, folder, suffix):
    """Draws the plots of one part; those of another release's programs are in the aims alone, the rest is in tables."""
    # Late, so that everything but plots works without matplotlib.
    from . import plots, summary
    series = Series(results)
    judged = [judge(aim, series) for aim in AIMS]
    aims = f"aims{suffix}.svg"
    drawn = summary.draw(judged, folder / aims)
    sections = []
    for group, figures in groups(series):
        name = f"{group.name}.svg"
        if not suffix:
            plots.draw(series, figures, folder / name, group.heading)
        sections.append((group, figures, f"{folder.name}/{name}"))
    return document.Part(series, judged, sections, f"{folder.name}/{aims}" if drawn else None)


def _write(chosen, path):
    text = path.read_text()
    document.replaced(text, "", path.name)
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    parts = [_part(results, folder, f"-{number}" if number else "") for number, results in enumerate(chosen)]
    generated = document.generated(parts)
    for stale in folder.glob("*.svg"):
        if f"({folder.name}/{stale.name})" not in generated:
            stale.unlink()
    path.write_text(document.replaced(text, generated, path.name))
    return parts


def main(arguments=None):
    options = _parse(arguments)
    try:
        parts = _write(_chosen(options.results), options.document)
    except Failure as failure:
        print(f"bench/report: {failure}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"bench/report: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"bench/report: {error}; `make bench-report` installs what the plots need", file=sys.stderr)
        return 2
    for part in parts:
        counts = [f"{sum(each.verdict is verdict for each in part.judged)} {verdict.value}" for verdict in Verdict]
        print(f"bench/report: {', '.join(result.name for result in part.series.results)} ({part.programs} programs): "
              f"aims: {'; '.join(counts)}")
    print(f"bench/report: wrote {options.document} and the plots beside it")
    return 0
