"""What changed from one result to another beyond the noise, or between two builds of one result."""
import dataclasses
import enum
import math
import statistics

from . import chance
from .reading import OLDER, OURS

ROUNDS = 3


class Change(enum.Enum):
    REGRESSION = "regression"
    GAIN = "gain"
    NOISE = "noise"
    UNCLEAR = "unclear"


@dataclasses.dataclass(frozen=True)
class Row:
    """One figure. Changes are factors: 1.1 is a tenth more."""

    figure: object
    before: float
    after: float
    own: float | None
    peers: float | None  # geometric mean of the peers' changes: the machine's mood
    beside: float | None  # our change with the peers' taken out
    chance: float | None
    change: Change
    why: str = ""


def between(before, after, tie):
    """Two results: a Row for each figure of ours that is in both, in the order of the second."""
    return [_between(figure, before, after, tie) for key, figure in after.figures.items()
            if before.values(key, OURS) and after.values(key, OURS)]


def builds(result, tie):
    """Two builds that took turns in one result: from "against" to "sluice"."""
    return [_builds(figure, result, tie) for key, figure in result.figures.items()
            if result.values(key, OLDER) and result.values(key, OURS)]


def unlike(before, after):
    """What makes two results hard to compare, in words."""
    found = [f"the machines differ in {name}: {before.machine.get(name)} and {after.machine.get(name)}"
             for name in ("cpu", "cores", "kernel", "congestion_control") if before.machine.get(name) != after.machine.get(name)]
    if before.programs != after.programs:
        found.append(f"the programs are {before.programs} and {after.programs}")
    for name in before.subjects:
        if name in (OURS, OLDER) or name not in after.subjects:
            continue
        if not _same_peer(before, after, name):
            found.append(f"{name} is not the same (version, TLS library or configuration): it is left out of what the peers say")
    for name, sizes in before.sizes.items():
        if name in after.sizes and not _same_sizes(sizes, after.sizes[name]):
            found.append(f"{name} was measured with other sizes: {sizes} and {after.sizes[name]}")
    return found


def _same_sizes(one, other):
    return {name: size for name, size in one.items() if name != "rounds"} == \
        {name: size for name, size in other.items() if name != "rounds"}


def _same_peer(before, after, name):
    one, other = before.subjects[name], after.subjects[name]
    return (one.version, one.tls, one.configurations) == (other.version, other.tls, other.configurations)


def _between(figure, before, after, tie):
    key = figure.key
    peers = [name for name in before.peers(key) if name in after.peers(key) and _same_peer(before, after, name)]
    first, second = before.values(key, OURS), after.values(key, OURS)
    row = Row(figure, statistics.median(first), statistics.median(second), None, None, None, None, Change.UNCLEAR)
    if not _same_sizes(before.sizes[figure.measure], after.sizes[figure.measure]):
        return dataclasses.replace(row, why="other sizes")
    if min(first + second) <= 0:
        return _of_counts(row, first, second)
    row = dataclasses.replace(row, own=row.after / row.before)
    if peers:
        row = dataclasses.replace(row, peers=math.exp(statistics.fmean(
            math.log(_median(after, key, peer) / _median(before, key, peer)) for peer in peers)))
    mine, theirs = _relative(before, key, OURS, peers), _relative(after, key, OURS, peers)
    if min(len(mine), len(theirs)) < ROUNDS:
        return dataclasses.replace(row, why=f"fewer than {ROUNDS} rounds")
    row = dataclasses.replace(row, beside=statistics.median(theirs) / statistics.median(mine))
    return _judged(row, chance.apart(mine, theirs), tie, *_doubt(row, before, after, peers, tie))


def _builds(figure, result, tie):
    key = figure.key
    pairs = [(each[OLDER], each[OURS]) for each in result.rounds(key) if OLDER in each and OURS in each]
    first, second = [before for before, _ in pairs], [after for _, after in pairs]
    if not pairs:
        return Row(figure, _median(result, key, OLDER), _median(result, key, OURS), None, None, None, None, Change.UNCLEAR,
                   "never in the same round")
    row = Row(figure, statistics.median(first), statistics.median(second), None, None, None, None, Change.UNCLEAR)
    if min(first + second) <= 0:
        return _of_counts(row, first, second)
    ratios = [after / before for before, after in pairs]
    row = dataclasses.replace(row, own=row.after / row.before, beside=statistics.median(ratios))
    if len(ratios) < ROUNDS:
        return dataclasses.replace(row, why=f"fewer than {ROUNDS} rounds")
    return _judged(row, chance.from_one(ratios), tie, 0, "")


def _of_counts(row, first, second):
    """Figures that are 0 at times, such as what was lost: there is no ratio; what never was there and now always is, counts."""
    if max(first) <= 0 < min(second) or max(second) <= 0 < min(first):
        return dataclasses.replace(row, change=_worse_or_better(row, row.after > row.before))
    return dataclasses.replace(row, change=Change.NOISE if row.before == row.after else Change.UNCLEAR,
                               why="" if row.before == row.after else "zero at times")


def _relative(result, key, subject, peers):
    """A subject's values, each divided by the geometric mean of the peers of the same round."""
    found = []
    for each in result.rounds(key):
        others = [each[peer] for peer in peers if peer != subject and each.get(peer, 0) > 0]
        if each.get(subject, 0) > 0 and len(others) == len(peers) - (subject in peers):
            found.append(each[subject] / (statistics.geometric_mean(others) if others else 1))
    return found


def _median(result, key, subject):
    return statistics.median(result.values(key, subject))


def _doubt(row, before, after, peers, tie):
    """How far, as a logarithm, a change has to go because peers moved as far; and a reason to call no change at all."""
    key = row.figure.key
    if not peers:
        return 0, "no peer to tell the machine's mood by"
    if len(peers) == 1:
        # With one peer, nobody tells whether it was the peer that moved: our own values have to say the same.
        agree = abs(math.log(row.own)) >= math.log(1 + tie) and (row.own > 1) == (row.beside > 1)
        return 0, "" if agree else "our own value does not show it"
    moved = 0
    for peer in peers:
        first, second = _relative(before, key, peer, peers), _relative(after, key, peer, peers)
        if first and second:
            moved = max(moved, abs(math.log(statistics.median(second) / statistics.median(first))))
    return moved, ""


def _judged(row, test, tie, moved, doubt):
    apart, found = test
    row = dataclasses.replace(row, chance=found)
    size = abs(math.log(row.beside))
    if not apart or size < math.log(1 + tie):
        return dataclasses.replace(row, change=Change.NOISE)
    if size <= moved:
        return dataclasses.replace(row, change=Change.NOISE, why="a peer moved as far")
    if doubt:
        return dataclasses.replace(row, why=doubt)
    return dataclasses.replace(row, change=_worse_or_better(row, row.beside > 1))


def _worse_or_better(row, more):
    return Change.REGRESSION if more == (row.figure.better == "lower") else Change.GAIN
