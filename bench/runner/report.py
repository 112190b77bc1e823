"""A result as Markdown for people."""
import shlex

from . import statistics


NONE = "–"


def markdown(result, pairs):
    """The table, and what is needed to repeat or dispute it. `pairs` are (subject, reference) to give ratios of."""
    machine, load = result["machine"], result["load_average"]
    lines = [
        f"# Benchmark, {result['date']}",
        "",
        "Medians (lowest–highest) of rounds in which the proxies took turns under the same load; ratios are of the same round. "
        "CPU is the proxy's own, user and system.",
        "",
        *_table(result["measures"], list(result["subjects"]), pairs),
        "",
        *_failures(result["failures"]),
        *(f"- {name}: {subject['version']}, {subject['tls']}" for name, subject in result["subjects"].items()),
        f"- machine: {machine['cpu']}, {machine['cores']} cores, {machine['memory']}, kernel {machine['kernel']}, "
        f"{machine['system']}; congestion control {machine['congestion_control']}, {machine['descriptors']} descriptors",
        f"- libraries of the load generator: {machine['openssl']}; compiler: {machine['compiler']}",
        f"- commit {machine['commit']}; load average {load['before']:.2f} before, {load['after']:.2f} after; "
        f"{result['seconds']:.0f} s",
        "- configurations: bench/configs",
        "",
        "```",
        *result["commands"],
        "```",
    ]
    return "\n".join(lines)


def _failures(failures):
    return ["**Failed:**", "", "```", *failures, "```", ""] if failures else []


def _table(measures, subjects, pairs):
    header = ["measure", *subjects, *(f"{subject} / {reference}" for subject, reference in pairs)]
    rows = [_row(header), _row(["---"] + ["---:"] * (len(header) - 1))]
    for measure in measures:
        for figure in measure["figures"]:
            taken, key = measure["rounds"], figure["key"]
            cells = [_cell(statistics.of_subject(taken, subject, key), figure["digits"]) for subject in subjects]
            if not any(cell != NONE for cell in cells):
                continue
            cells += [_cell(statistics.ratio(taken, *pair, key), 2) for pair in pairs]
            rows.append(_row([figure["title"], *cells]))
    return rows


def _row(cells):
    return "| " + " | ".join(cells) + " |"


def _cell(spread, digits):
    if spread is None:
        return NONE
    if spread.low == spread.high:
        return f"{spread.median:.{digits}f}"
    return f"{spread.median:.{digits}f} ({spread.low:.{digits}f}–{spread.high:.{digits}f})"


def commands(started, repository):
    """Commands without repetitions of the same program and mode: one example of each is enough to repeat them."""
    seen = {}
    for command in started:
        # With a loader before it the program is the fourth word.
        program = command[3:5] if command[1] == "--library-path" else command[:2]
        seen.setdefault((*program, "--listen" in command), shlex.join(command).replace(f"{repository}/", ""))
    return list(seen.values())
