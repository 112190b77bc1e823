"""Whether the aims are met."""
import dataclasses
import enum

from .aims import Beside, Limit, Within
from .reading import OURS
from .series import Estimate, Ratio


class Verdict(enum.Enum):
    MET = "met"
    WITHIN = "met: the interval contains it"
    MISSED = "missed"
    UNKNOWN = "not measured"


@dataclasses.dataclass(frozen=True)
class Judged:
    aim: Beside | Within | Limit
    verdict: Verdict
    estimate: Estimate | None  # of the ratio, or of our figure where the aim is a limit
    references: tuple = ()  # the peers it is formed with
    beside: Ratio | None = None  # to the best of those that do not compete


def judge(aim, series):
    if isinstance(aim, Beside):
        return _beside(aim, series)
    if isinstance(aim, Within):
        found = series.within(aim.key, aim.base)
    else:
        found = series.value(aim.key, OURS)
    return Judged(aim, verdict(found, aim.most, getattr(aim, "exact", False)), found)


def verdict(found, most, exact=False):
    if found is None:
        return Verdict.UNKNOWN
    if exact:
        return Verdict.MET if found.ceiling <= most else Verdict.MISSED
    if found.median <= most:
        return Verdict.MET
    return Verdict.WITHIN if found.lower <= most else Verdict.MISSED


def _beside(aim, series):
    def competes(result, peer):
        return not aim.same_tls or result.subjects[peer].tls_line == result.subjects[OURS].tls_line

    found = series.to_best_peer(aim.key, competes)
    others = series.to_best_peer(aim.key, lambda result, peer: not competes(result, peer))
    return Judged(
        aim, verdict(found and found.estimate, aim.most), found and found.estimate,
        tuple(found.references) if found else (), others)
