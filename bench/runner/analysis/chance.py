"""Whether rounds lie apart, and how often chance alone would part them as clearly: exact rank tests, two-sided. They ask for
nothing but that rounds are independent; how figures are distributed does not matter.

Few rounds can't be rare by rank alone: three and three are in order one time in ten. These have to lie apart by a gap that is
wider than the rounds of either side are."""
import functools
import math


# At most this often.
RARE = 0.02


def apart(first, second):
    """Of the rounds of two runs (Mann and Whitney): returns whether they lie apart, and the chance of that."""
    wins = sum((mine > other) + (mine == other) / 2 for mine in second for other in first)
    rarer = math.ceil(min(wins, len(first) * len(second) - wins))
    ways = sum(_splits(len(first), len(second), each) for each in range(rarer + 1))
    every = math.comb(len(first) + len(second), len(first))
    found = min(1, 2 * ways / every)
    if 2 / every > RARE:
        return _gap([math.log(each) for each in first], [math.log(each) for each in second]), found
    return found <= RARE, found


def _gap(first, second):
    low, high = sorted((first, second), key=min)
    return min(high) - max(low) > max(max(low) - min(low), max(high) - min(high))


@functools.cache
def _splits(count, others, wins):
    """Orders of `count` and `others` values in which the others win `wins` of the pairs."""
    if wins < 0:
        return 0
    if count == 0 or others == 0:
        return int(wins == 0)
    # The largest of all is one of the others, which then wins against all of `count`; or it is not, and wins nothing.
    return _splits(count, others - 1, wins - count) + _splits(count - 1, others, wins)


def from_one(ratios):
    """Of ratios, each formed in one round (Wilcoxon's signed ranks): returns whether they lie on one side of 1, and the
    chance of that."""
    logs = [math.log(ratio) for ratio in ratios]
    count = len(logs)
    # The sum of the ranks of positive values is the number of pairs, each with itself too, whose sum is positive.
    positive = sum((one + other > 0) + (one + other == 0) / 2
                   for place, one in enumerate(logs) for other in logs[place:])
    rarer = math.ceil(min(positive, count * (count + 1) / 2 - positive))
    ways = sum(_subsets(count, each) for each in range(rarer + 1))
    found = min(1, 2 * ways / 2 ** count)
    if 2 / 2 ** count > RARE:
        return _gap(logs, [0.0]), found
    return found <= RARE, found


@functools.cache
def _subsets(largest, total):
    """Subsets of 1, …, `largest` with this sum."""
    if total < 0:
        return 0
    if largest == 0:
        return int(total == 0)
    return _subsets(largest - 1, total) + _subsets(largest - 1, total - largest)
