"""Medians with their spread, and ratios of what was measured in the same round."""
import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    median: float
    low: float
    high: float


def spread(values):
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def of_subject(rounds, subject, key):
    """The values of one figure for one subject."""
    found = [each[subject].get(key) for each in rounds if subject in each]
    return spread([value for value in found if value is not None])


def ratio(rounds, subject, reference, key):
    """The subject's figure divided by the reference's, round by round."""
    pairs = [(each[subject].get(key), each[reference].get(key))
             for each in rounds if subject in each and reference in each]
    return spread([mine / theirs for mine, theirs in pairs if mine is not None and theirs])


def noise(rounds, subject, key):
    """How far apart the rounds were: (highest - lowest) / median; None where there is nothing to compare."""
    found = of_subject(rounds, subject, key)
    several = sum(each.get(subject, {}).get(key) is not None for each in rounds) > 1
    return (found.high - found.low) / abs(found.median) if found and several and found.median else None
