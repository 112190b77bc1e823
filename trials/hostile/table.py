"""The figures as a table of Markdown, and what is wrong with them."""

# How much longer clients that behave may have to wait.
FACTOR = 2
_HEAD = ("attack", "connections", "round trip p99, ms", "new TLS p99, ms", "without a gateway", "cores", "memory, MiB (bound)",
         "ends")


def _waits(outcome, field):
    quiet, attacked = (outcome.median(field, attacked) / 1000 for attacked in (False, True))
    return f"{quiet:.2f} → {attacked:.2f} ({outcome.ratio(field):.1f}×)"


def _row(outcome):
    cells = [outcome.attack.said, f"{outcome.attackers:,}"]
    if outcome.rounds:
        cells += [_waits(outcome, "round_trip"), _waits(outcome, "new"), f"{outcome.ratio('direct'):.1f}×",
                  f"{sum(outcome.cores) / len(outcome.cores):.2f}"]
    else:
        cells += ["-"] * 4
    cells.append(f"+{max(outcome.grown, 0) / 2**20:.0f} ({outcome.attack.bound >> 20})")
    cells.append(", ".join(f"{reason} {count:,}" for reason, count in sorted(outcome.reasons.items(), key=lambda each: -each[1])))
    return cells


def markdown(outcomes):
    rows = [_HEAD, ["---"] * len(_HEAD), *(_row(outcome) for outcome in outcomes)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def slow(outcome):
    """What took longer than it may, beside what the machine itself did to clients that reach no gateway."""
    if not outcome.rounds:
        return []
    machine = max(1, outcome.ratio("direct"))
    return [f"{said}: p99 {outcome.ratio(field):.1f} times as long ({machine:.1f} without a gateway)"
            for field, said in (("round_trip", "round trips"), ("new", "new connections"))
            if field in outcome.attack.judged and outcome.ratio(field) > FACTOR * machine]
