"""One changed route among 10,000: when it is served, and what it costs connections, new and established."""
import random
import statistics
import time

from ..failure import Failure
from ..subjects.names.kinds import named_subject
from ..subjects.names.sluice import applications_ms
from .change_among_clients import Flow, Held
from .measure import Figure, Measure
from .names import started_ms

NAMES = 10000
HELD = 180  # by other names
HELD_BY_CHANGED = 20
# How long the flow goes on after the last thing that was not as it will be.
CALM_S = 0.3
PATIENCE_S = 15
# The ways of a change by the suffix of the keys; the first is what each proxy has, see runner/subjects/names.
WAYS = {"": "", "_map": " (admin socket: set map)", "_server": " (admin socket: set server)"}


def _figures(suffix, said):
    changed = f"one route changed among {NAMES:,}{said}"
    yield Figure(f"names_change{suffix}_ms", f"{changed}: until the first connection to the new backend, ms", 2)
    yield Figure(f"names_change_worst{suffix}_ms", f"{changed}: the same, worst, ms", 2)
    yield Figure(f"names_change_old{suffix}_ms", f"{changed}: until the last connection to the old one, ms", 2)
    if not suffix:
        yield Figure("names_change_engine_ms", f"{changed}: of it the engine's, from its new configuration on, ms", 2)
    yield Figure(f"names_change_broken{suffix}", f"{changed}: connections refused or broken, established ones included", 0)
    yield Figure(f"names_change_refused{suffix}", f"{changed}: new connections refused or broken after the first success", 0)
    yield Figure(f"names_changes{suffix}", f"{changed}: changes in a round", 0, "higher")


class ChangeAmong(Measure):
    name = "change-among"
    rounds = 2
    changes = 10
    seconds = 20.0  # after which no further change is begun
    figures = [figure for way in WAYS.items() for figure in _figures(*way)]

    def suits(self, running):
        return named_subject(running.subject) is not None

    def sample(self, running):
        subject = named_subject(running.subject)
        values = {}
        with subject.prepared(NAMES, changes=True) as named:
            log_start = self._log_size(named)
            started_ms(named)
            changed = dict(zip(subject.ways, random.sample(range(NAMES), len(subject.ways))))
            with Held(named, [*random.sample(range(NAMES), HELD), *list(changed.values()) * HELD_BY_CHANGED]) as held:
                for suffix, way in subject.ways.items():
                    values |= self._change_often(named, way, changed[suffix], held, suffix)
            if running.subject.is_sluice:
                # The first is the start's.
                applied = applications_ms(self._log(named, log_start).splitlines())[1:]
                values["names_change_engine_ms"] = statistics.median(applied)
        return values

    def _log_size(self, named):
        path = self.scene.folder / f"{named.subject.name}.log"
        return path.stat().st_size if path.exists() else 0

    def _log(self, named, start):
        with open(named.started.log) as log:
            log.seek(start)
            return log.read()

    def _change_often(self, named, way, index, held, suffix):
        flow, begun = Flow(named.port, index), time.monotonic()
        changes = []
        while len(changes) < self.changes and (not changes or time.monotonic() - begun < self.seconds):
            backend = ("greet-a", "greet-b")[len(changes) % 2]
            hand_over = way(named, index, backend)
            # Out of step with whatever beat the proxy may have.
            time.sleep(random.uniform(0.005, 0.03))
            changes.append(flow.follow(hand_over, backend[-1], CALM_S, PATIENCE_S))
            if changes[-1].first is None:
                raise Failure(f"a changed route is not served after {PATIENCE_S} s:\n{named.started.log_end()}")
            changes[-1].broken += held.count_broken()
        firsts = [change.first * 1000 for change in changes]
        return {
            f"names_change{suffix}_ms": statistics.median(firsts),
            f"names_change_worst{suffix}_ms": max(firsts),
            f"names_change_old{suffix}_ms": statistics.median(change.last_old * 1000 for change in changes),
            f"names_change_broken{suffix}": sum(change.broken for change in changes),
            f"names_change_refused{suffix}": sum(change.refused for change in changes),
            f"names_changes{suffix}": len(changes),
        }
