"""The generated part of docs/benchmarks.md, and its place between the markers."""
import hashlib

from ..failure import Failure
from ..subjects.subject import CONFIGURATIONS
from . import tables

BEGIN = "<!-- bench-report: begin. `make bench-report` writes what is between the markers. -->"
END = "<!-- bench-report: end -->"


def replaced(text, generated, name):
    """`text` with what is between the markers replaced."""
    for marker in BEGIN, END:
        if text.count(marker) != 1:
            raise Failure(f"{name}: needs the line {marker} exactly once, has it {text.count(marker)} times")
    before, _, rest = text.partition(BEGIN)
    if END not in rest:
        raise Failure(f"{name}: the marker of the end stands before the one of the beginning")
    return before + BEGIN + "\n" + generated + END + rest.partition(END)[2]


def generated(series, judged, sections, summary):
    """`sections` are (group, figures, name of its plot); `summary` is the name of the aims' plot. Names are relative."""
    lines = ["", *_introduction(series), "", "### Aims", "", *_aims_explained(series), "", *tables.aims(judged), ""]
    if summary:
        lines += [f"![Sluice beside the best peer, and the aims]({summary})", ""]
    for group, figures, plot in sections:
        lines += [f"### {group.heading}", "", f"![{group.heading}: every peer, with the spread]({plot})", "",
                  *tables.figures(series, figures), ""]
    lines += ["### What was measured", "", *_subjects(series), "", *_runs(series), "", *_commands(series), ""]
    return "\n".join(line.rstrip() for line in lines)


def _introduction(series):
    count = len(series.results)
    machine = series.results[-1].machine
    what = "Medians of the rounds, in brackets the lowest and the highest" if count == 1 else \
        f"Medians of {count} runs, in brackets the lowest and the highest run"
    return [
        f"{what}. In each round all subjects took their turn under the same load; ratios are formed within a round, with the "
        "peer whose median is best in that run. CPU is the proxy's own, user and system time of all its threads.",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory']} of memory; {machine['system']}, "
        f"kernel {machine['kernel']}, congestion control {machine.get('congestion_control', 'unknown')}. "
        "The load generator and the backends share the cores.",
        "",
        "In the plots a bar is the median, and the line on it goes from the lowest to the highest round"
        + (" of a run; its thick part is the spread between the runs' medians." if count > 1 else "."),
    ]


def _aims_explained(series):
    lines = ["Ratios to the best peer, each at its best tuning; lower is better. An aim is met when the median keeps it, or when "
             "the interval over the rounds contains it."]
    if len(series.results) > 1:
        lines[0] += (" The interval is from the lowest to the highest round of a run; of several runs, the median of these.")
    return lines


def _subjects(series):
    rows = []
    for name, subject in series.subjects.items():
        links = [_configuration(path, digest) for path, digest in subject.configurations.items()]
        rows.append([name, subject.version, subject.tls or tables.NONE, ", ".join(links) or tables.NONE])
    lines = tables.table(["subject", "version", "TLS library", "configuration"], rows, left=4)
    differing = [name for name in series.subjects if len({_version(result, name) for result in series.results} - {None}) > 1]
    if differing:
        lines += ["", f"The runs are not of the same versions; the newest is named here. They differ in: {', '.join(differing)}."]
    return lines


def _version(result, name):
    subject = result.subjects.get(name)
    return subject and (subject.version, subject.tls, tuple(sorted(subject.configurations.items())))


def _configuration(path, digest):
    committed = CONFIGURATIONS / path
    same = committed.is_file() and hashlib.sha256(committed.read_bytes()).hexdigest() == digest
    return f"[{path}](../bench/configs/{path})" + ("" if same else f" (changed since; was SHA-256 {digest[:12]})")


def _runs(series):
    rows = []
    for result in series.results:
        load = result.load_average
        rows.append([f"[{result.name}](../bench/results/{result.name})", result.mode, f"`{result.machine['commit']}`",
                     f"{result.seconds / 60:.0f} min", f"{load['before']:.2f}, {load['after']:.2f}",
                     str(len(result.failures) or "none")])
    lines = tables.table(["result", "mode", "commit", "took", "load before, after", "failures"], rows, left=6)
    failures = [f"{result.name}: {failure}" for result in series.results for failure in result.failures]
    return lines + (["", "What failed, and is missing above:", "", "```", *failures, "```"] if failures else [])


def _commands(series):
    newest = series.results[-1]
    return ["The commands, one of each kind; `make bench` runs them all:", "", "```", *newest.commands, "```"]
