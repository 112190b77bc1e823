"""Several runs of the same: each gives its medians, and between the runs there is a spread of its own."""
import dataclasses
import math
import statistics

from .aims import FORMS
from .reading import OURS

# What all of five rounds give.
CONFIDENCE = 0.93


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A median, and how far it can be trusted.

    `low` and `high` are the lowest and highest round of a run, `lower` and `upper` the interval in which the rounds of a run
    place its median; with several runs, the medians of what each run says. So neither widens with every run that is added, nor
    `lower` to `upper` with every round. `least` and `most` are the lowest and highest median of a run.
    """

    median: float
    low: float
    high: float
    lower: float
    upper: float
    least: float
    most: float
    ceiling: float  # the highest round of all
    runs: int
    rounds: int


def estimate(runs):
    """Of the rounds of each run; None where there are none."""
    runs = [values for values in runs if values]
    if not runs:
        return None
    medians = [statistics.median(values) for values in runs]
    return Estimate(
        statistics.median(medians), statistics.median(map(min, runs)), statistics.median(map(max, runs)),
        statistics.median(sorted(values)[_outside(len(values))] for values in runs),
        statistics.median(sorted(values)[-1 - _outside(len(values))] for values in runs),
        min(medians), max(medians), max(map(max, runs)), len(runs), sum(map(len, runs)))


def _outside(count):
    """How many of so many rounds may lie outside at either end, for the others to enclose the true median in CONFIDENCE of
    cases or more. It lies below the k-th lowest as often as `count` coins show fewer than k heads."""
    outside, tail = 0, 0
    while True:
        tail += math.comb(count, outside)
        if 1 - 2 * (tail + math.comb(count, outside + 1)) / 2 ** count < CONFIDENCE:
            return outside
        outside += 1


@dataclasses.dataclass(frozen=True)
class Ratio:
    estimate: Estimate
    references: list  # the peers that it is formed with: usually one, more if runs disagree about who is best


class Series:
    """The runs, oldest first."""

    def __init__(self, results):
        self.results = sorted(results, key=lambda result: result.date)
        self.figures = {}
        self.subjects = {}
        # What the newest run says of a figure or subject holds.
        for result in reversed(self.results):
            for key, figure in result.figures.items():
                self.figures.setdefault(key, figure)
            for name, subject in result.subjects.items():
                self.subjects.setdefault(name, subject)

    def measures(self):
        """The names of the measures, in the order of a run."""
        return list(dict.fromkeys(figure.measure for figure in self.figures.values()))

    def forms(self, key):
        """The keys of the same figure in other forms of a peer: [(key, how the form is called)]."""
        return [(other, said) for part, said in FORMS.items() for other, figure in self.figures.items()
                if part in other and other.replace(part, "", 1) == key and figure.measure == self.figures[key].measure]

    def is_form(self, key):
        return any(key == form for base in self.figures for form, _ in self.forms(base))

    def value(self, key, subject):
        return estimate([result.values(key, subject) for result in self.results])

    def to_best_peer(self, key, allowed=lambda result, peer: True):
        """Ours divided by the best peer's in its best form, round by round. The best is the one with the best median of the run,
        out of those that `allowed` lets compete: to pick the best of each round anew would pick the luckiest."""
        runs, references = [], []
        for result in self.results:
            rivals = self._rivals(result, key, allowed)
            if not rivals or not result.values(key, OURS):
                continue
            best = min if result.figures[key].better == "lower" else max
            form, peer, said = best(rivals, key=lambda rival: statistics.median(result.values(*rival[:2])))
            ratios = _quotients(result.rounds(key), result.rounds(form), peer)
            if ratios:
                runs.append(ratios)
                references.append(said)
        found = estimate(runs)
        return Ratio(found, list(dict.fromkeys(references))) if found else None

    def _rivals(self, result, key, allowed):
        """Who is measured, and in which forms: [(key, peer, what to call it)]."""
        forms = [(key, "")] + ([(form, f" ({said})") for form, said in self.forms(key)] if key in self.figures else [])
        return [(form, peer, peer + said) for form, said in forms for peer in result.peers(form) if allowed(result, peer)]

    def within(self, key, base):
        """One of our figures divided by another one of ours, round by round."""
        runs = []
        for result in self.results:
            runs.append(_quotients(result.rounds(key), result.rounds(base), OURS))
        return estimate(runs)


def _quotients(rounds, others, subject):
    """Ours in `rounds` divided by the subject's in `others`, which are of the same rounds."""
    return [above[OURS] / below[subject] for above, below in zip(rounds, others) if OURS in above and below.get(subject)]
