"""What came of a run: bounds held, figures, and a table of them. `python3 -m trials.soak.report result.json` prints it again."""
import collections
import dataclasses
import json
import pathlib
import statistics
import sys

MIB = 1 << 20
# What may be more after the load than before it. Memory: what the allocator keeps for the next load, at most this part of
# what there was, and this much.
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
    allowed = before.anonymous_bytes + max(MORE_MEMORY_BYTES, before.anonymous_bytes * MORE_MEMORY_PART)
    if after.anonymous_bytes > allowed:
        judge.complain(f"memory: {after.anonymous_bytes / MIB:.1f} MiB after the load, {before.anonymous_bytes / MIB:.1f} before it")


def markdown(result):
    before, after, samples = result["before"], result["after"], result["samples"]
    rows = [("", "before", "during (median, most)", "after")]
    for name, unit in ("anonymous_bytes", MIB), ("resident_bytes", MIB), ("descriptors", 1), ("sockets", 1), ("pipes", 1), ("others", 1), ("threads", 1):
        values = [sample[name] / unit for sample in samples]
        form = "{:.1f} MiB" if unit == MIB else "{:.0f}"
        rows.append((name.removesuffix("_bytes").replace("anonymous", "memory of its own").replace("others", "other descriptors"), form.format(before[name] / unit),
                     f"{form.format(statistics.median(values))}, {form.format(max(values))}", form.format(after[name] / unit)))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "| --- | ---: | ---: | ---: |")
    counted = result["bytes"]
    lines += ["", f"{result['minutes']:g} minutes, and the warm-up: {result['lines']} connections, {result['matched']} matched with a client; "
              f"{(counted['received'] + counted['sent']) / (1 << 30):.1f} GiB relayed; {result['changes']} changes written, "
              f"{result['generations']} configurations applied; {result['certificates']} certificates replaced, "
              f"{result['deaths']} backends killed, {result['rotations']} logs rotated; "
              f"{result['events']} events ({result['events_refused']} batches refused, {result['events_repeated']} repeated); "
              f"{result['scrapes']} scrapes, {result['pages']} pages, slowest {result['slowest_answer_s']} s; "
              f"{result['lasting']} sessions lasted 10 s and more, the longest {result['longest_served_s']} s; {result['resumed']} resumed; {result['cpu_share']:.0%} of a core; "
              f"{result['complained']} complaints, {result['disturbed']} visits ended while the kernel had no memory for TCP.", "",
              "Reasons: " + ", ".join(f"{reason} {count}" for reason, count in result["reasons"].items())]
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown(json.loads(pathlib.Path(sys.argv[1]).read_text())))
