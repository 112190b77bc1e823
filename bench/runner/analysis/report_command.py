"""The command line of bench/report."""
import argparse
import pathlib
import sys

from ..failure import Failure
from . import document, reading
from .aims import AIMS
from .groups import groups
from .reading import OURS
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
    if paths:
        return [reading.read(path) for path in paths]
    found = [reading.read(path) for path in sorted(RESULTS.glob("*.json"))]
    whole = [result for result in found if result.mode == "full" and OURS in result.subjects]
    if not whole:
        raise Failure("no result of a full run in bench/results: run `make bench`, or name results")
    newest = max(whole, key=lambda result: result.date)
    return [result for result in whole if _same(result, newest)]


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


def _write(series, path):
    # Late, so that everything but plots works without matplotlib.
    from . import plots, summary
    text = path.read_text()
    document.replaced(text, "", path.name)
    folder = path.with_suffix("")
    folder.mkdir(exist_ok=True)
    judged = [judge(aim, series) for aim in AIMS]
    written, sections = set(), []
    if summary.draw(judged, folder / "aims.svg"):
        written.add("aims.svg")
    for group, figures in groups(series):
        name = f"{group.name}.svg"
        plots.draw(series, figures, folder / name, group.heading)
        written.add(name)
        sections.append((group, figures, f"{folder.name}/{name}"))
    for stale in set(folder.glob("*.svg")) - {folder / name for name in written}:
        stale.unlink()
    generated = document.generated(series, judged, sections, f"{folder.name}/aims.svg" if "aims.svg" in written else None)
    path.write_text(document.replaced(text, generated, path.name))
    return judged, written


def main(arguments=None):
    options = _parse(arguments)
    try:
        results = _chosen(options.results)
        _check(results)
        series = Series(results)
        judged, written = _write(series, options.document)
    except Failure as failure:
        print(f"bench/report: {failure}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"bench/report: {error.filename}: {error.strerror}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"bench/report: {error}; `make bench-report` installs what the plots need", file=sys.stderr)
        return 2
    counts = [f"{sum(each.verdict is verdict for each in judged)} {verdict.value}" for verdict in Verdict]
    print(f"bench/report: {options.document} and {len(written)} plots from {', '.join(result.name for result in series.results)}")
    print(f"bench/report: aims: {'; '.join(counts)}")
    return 0
