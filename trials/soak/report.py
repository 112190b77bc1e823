"""What came of a run: bounds held, figures, and a table of them. `python3 -m trials.soak.report result.json` prints it again."""
import collections
import dataclasses
import json
import pathlib
import statistics
import sys

MIB = 1 << 20
# What may be more after the load than before it. Memory: the spare buffers that the two workers keep, 4 MiB each (BlockPool), which
# grow with the most that ever had to be held at once, and of the rest what the allocator keeps for the next load.
MORE_MEMORY_PART, MORE_MEMORY_BYTES = 0.10, 8 * MIB
# Workers make pipes when they need them, up to so many in all, and keep them for their life: no other descriptor may be more.
MOST_PIPES = 48


def result(trial, minutes, load, before, after, observers):
    judge = trial.judge
    _hold(judge, before, after)
    outcomes = collections.Counter()
    for (scenario, outcome, reason), count in judge.outcomes.items():
        outcomes[reason or "(never accepted)"] += count
    cpu = after.cpu_seconds - before.cpu_seconds
    return {
        "minutes": minutes, "load": trial.load, "complained": judge.complained, "complaints": judge.complaints,
        "disturbed": judge.disturbed, "lines": judge.lines, "matched": judge.matched, "reasons": dict(outcomes.most_common()),
        "scenarios": {" ".join(map(str, key)): count for key, count in sorted(judge.outcomes.items(), key=str)},
        "bytes": dict(judge.bytes), "changes": trial.changes.made, "certificates": load.certificates,
        "generations": int(trial.generations), "deaths": trial.backends.deaths, "rotations": trial.tail.rotations,
        "late_turns": load.late,
        "events": trial.sink.events, "events_refused": trial.sink.failures, "events_repeated": trial.sink.repeated,
        "scrapes": observers.scrapes, "pages": observers.pages, "slowest_answer_s": round(observers.slowest_s, 2),
        "lasting": judge.lasting, "resumed": judge.resumed, "longest_served_s": round(judge.longest_s, 1), "cpu_share": round(cpu / (minutes * 60), 3),
        "before": dataclasses.asdict(before), "after": dataclasses.asdict(after),
        "samples": [dataclasses.asdict(sample) for sample in load.samples],
    }


def _hold(judge, before, after):
    if after.pipes > MOST_PIPES:
        judge.complain(f"pipes: {after.pipes} after the load, more than workers keep")
    for name in "sockets", "others", "threads":
        was, now = getattr(before, name), getattr(after, name)
        if now > was:
            judge.complain(f"{name}: {now} after the load, {was} before it")
    allowed = before.anonymous_bytes * (1 + MORE_MEMORY_PART) + MORE_MEMORY_BYTES
    if after.anonymous_bytes > allowed:
        judge.complain(f"memory: {after.anonymous_bytes / MIB:.1f} MiB after the load, "
                       f"{before.anonymous_bytes / MIB:.1f} before it")


# What the table shows of a census: (field, its name, unit).
ROWS = (("anonymous_bytes", "memory of its own", MIB), ("resident_bytes", "resident", MIB), ("descriptors", "descriptors", 1),
        ("sockets", "sockets", 1), ("pipes", "pipes", 1), ("others", "other descriptors", 1), ("threads", "threads", 1))

FIGURES = """
{minutes:g} minutes, and the warm-up: {lines} connections, {matched} matched with a client; {gibibytes:.1f} GiB relayed;
{changes} changes written, {generations} configurations applied; {certificates} certificates replaced, {deaths} backends killed,
{rotations} logs rotated; {events} events ({events_refused} batches refused, {events_repeated} repeated); {scrapes} scrapes,
{pages} pages, slowest {slowest_answer_s} s; {lasting} sessions lasted 10 s and more, the longest {longest_served_s} s;
{resumed} resumed; {cpu_share:.0%} of a core; {complained} complaints; {disturbed} visits ended while the kernel had no
memory for TCP.

Reasons: """


def markdown(result):
    samples = result["samples"]
    lines = ["| | before | during (median, most) | after |", "| --- | ---: | ---: | ---: |"]
    for field, name, unit in ROWS:
        form = "{:.1f} MiB" if unit == MIB else "{:.0f}"
        values = [sample[field] / unit for sample in samples]
        shown = [result["before"][field] / unit, statistics.median(values), max(values), result["after"][field] / unit]
        lines.append("| {} | {} | {}, {} | {} |".format(name, *map(form.format, shown)))
    relayed = sum(result["bytes"].values()) / (1 << 30)
    figures = FIGURES.format_map(collections.defaultdict(lambda: 0, result, gibibytes=relayed))
    return "\n".join(lines) + "\n" + figures + ", ".join(f"{reason} {count}" for reason, count in result["reasons"].items())


if __name__ == "__main__":
    print(markdown(json.loads(pathlib.Path(sys.argv[1]).read_text())))
