"""The generated part of docs/benchmarks.md, and its place between the markers."""
import dataclasses
import hashlib

from ..failure import Failure
from ..subjects.subject import CONFIGURATIONS
from . import tables
from .reading import NO_PROXY
from .series import Series

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


@dataclasses.dataclass(frozen=True)
class Part:
    """What is shown of runs of the same programs."""

    series: Series
    judged: list
    sections: list  # (group, figures, the name of its plot)
    summary: str | None  # the name of the aims' plot

    @property
    def programs(self):
        return self.series.results[-1].programs


def generated(parts):
    """The first part is of the machine's own programs, others of another release's. Names of plots are relative to the page."""
    first, *others = parts
    lines = ["", *_introduction(first.series), "", "### Aims", "", *_aims(first)]
    for group, figures, plot in first.sections:
        lines += [f"### {group.heading}", "", _picture(f"{group.heading}: every peer, with the spread", plot), "",
                  *tables.figures(first.series, figures), "", _sizes(first.series, group), ""]
    for part in others:
        lines += [f"### With the programs of {part.programs}", "",
                  *_introduction(part.series), "", *_aims(part)]
        for group, figures, _ in part.sections:
            lines += [f"<details><summary>{group.heading}</summary>", "", *tables.figures(part.series, figures), "",
                      "</details>", ""]
    lines += ["### What was measured, and how to repeat it", ""]
    for part in parts:
        if others:
            lines += [f"With {part.programs} programs:" if part is first else f"With the programs of {part.programs}:", ""]
        lines += [*_subjects(part.series), "", *_runs(part.series), ""]
    lines += [*_commands(first.series), ""]
    return "\n".join(line.rstrip() for line in lines)


def _sizes(series, group):
    newest = {name: sizes for result in series.results for name, sizes in result.sizes.items() if name in group.measures}
    return "Sizes: " + "; ".join(f"`{name}`: {', '.join(f'{what} {size}' for what, size in sizes.items()) or 'one round'}"
                     for name, sizes in newest.items())


def _picture(says, plot):
    return f"![{says}]({plot})"


def _aims(part):
    lines = [*_aims_explained(part.series), "", *tables.aims(part.judged), ""]
    return lines + ([_picture("Sluice beside the best peer, and the aims", part.summary), ""] if part.summary else [])


def _introduction(series):
    count = len(series.results)
    machine = series.results[-1].machine
    what = "Medians of the rounds, in brackets the lowest and the highest" if count == 1 else \
        f"Medians of {count} runs, in brackets the lowest and the highest run"
    return [
        f"{what}. In each round all subjects took their turn under the same load; ratios are formed within a round, with the "
        "peer whose median is best in that run. CPU is the proxy's own, user and system time of all its threads.",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {_memory(machine['memory'])} of memory; {machine['system']}, "
        f"kernel {machine['kernel']}, congestion control {machine.get('congestion_control', 'unknown')}. "
        "The load generator and the backends share the cores.",
        "",
        "In the plots a bar is the median, and the line on it goes from the lowest to the highest round"
        + (" of a run; its thick part is the spread between the runs' medians." if count > 1 else ".")
        + (f" \"{NO_PROXY}\" is the load generator at the backend, without a proxy." if NO_PROXY in series.subjects else ""),
    ]


def _memory(said):
    """From /proc/meminfo, "24684092 kB"."""
    amount, _, unit = said.partition(" ")
    return f"{int(amount) / (1 << 20):.0f} GiB" if unit == "kB" and amount.isdigit() else said


def _aims_explained(series):
    text = ("Ratios to the best peer, each at its best tuning; lower is better. An aim is met when the median keeps it, or when "
            "the interval over the rounds contains it: from the lowest to the highest round, of nine rounds and more without "
            "the outermost, so that it does not widen with their number (it encloses the true median in 93 % of cases or more)")
    return [text + ("; of several runs, the median of these intervals." if len(series.results) > 1 else ".")]


def _subjects(series):
    rows = []
    for name, subject in series.subjects.items():
        links = [_configuration(path, digest) for path, digest in subject.configurations.items()]
        rows.append([name, subject.version, subject.tls or tables.NONE, ", ".join(links) or tables.NONE])
    lines = tables.table(["subject", "version", "TLS library", "configuration"], rows, text=range(4))
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
        rows.append([_result(result), result.mode, f"`{result.machine['commit']}`",
                     f"{result.seconds / 60:.0f} min", f"{load['before']:.2f}, {load['after']:.2f}",
                     str(len(result.failures) or "none")])
    lines = tables.table(["result", "mode", "commit", "took", "load before, after", "failures"], rows, text=range(6))
    failures = [f"{result.name}: {failure}" for result in series.results for failure in result.failures]
    return lines + (["", "What failed, and is missing above:", "", "```", *failures, "```"] if failures else [])


def _result(result):
    """Its name, linked where it is one of those that are committed."""
    committed = (CONFIGURATIONS.parent / "results" / result.name).is_file()
    return f"[{result.name}](../bench/results/{result.name})" if committed else result.name


def _commands(series):
    newest = series.results[-1]
    return ["One command of each kind; `make bench` runs them all:", "", "```", *newest.commands, "```"]
