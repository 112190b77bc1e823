"""What each sort of limit costs a connection that passes it, beside one without, on the same instance."""
import contextlib

from ..failure import Failure
from ..subjects.admission import BLOCKS, LIMITS, AdmissionInstance
from .measure import CpuClock, Figure, Measure

AT_A_TIME = 16
SAID = {
    "none": "no limit",
    "cidrs": f"block list of {BLOCKS:,} CIDRs",
    "connections": "connection limit",
    "sources": "connection limit per source",
    "rate": "connection rates, in all and per source",
}


def _figures():
    for limit in LIMITS:
        yield Figure(f"admission_cpu_us_{limit}", f"new connection + 64 B echo, {SAID[limit]}: CPU µs", 1)
        yield Figure(f"admission_per_s_{limit}", f"new connection + 64 B echo, {SAID[limit]}: per second", 0, "higher")
    for limit in LIMITS[1:]:
        yield Figure(f"admission_over_{limit}", f"new connection, {SAID[limit]}: CPU / without", 3)


class Admission(Measure):
    name = "admission"
    rounds = 9
    count = 1000  # there, and as many back
    figures = list(_figures())

    def __init__(self, scene, **sizes):
        super().__init__(scene, **sizes)
        self._stacks, self._instances, self._taken = {}, {}, {}

    def suits(self, running):
        return running.subject.is_sluice

    def sample(self, running):
        name = running.name
        values, ended = {}, True
        try:
            if name not in self._instances:
                self._stacks[name] = contextlib.ExitStack()
                self._instances[name], self._taken[name] = self._start(running.subject, self._stacks[name]), 0
            values = self._connections(self._instances[name])
            self._taken[name] += 1
            ended = self._taken[name] == self.rounds
        finally:
            # After the last round as after a failure.
            if ended:
                self._stacks.pop(name).close()
                self._instances.pop(name, None)
        return values

    def _start(self, subject, stack):
        instance = stack.enter_context(AdmissionInstance(subject, len(self._taken)).running())
        for limit in LIMITS:
            self._connect(instance, limit, 200)
        if not instance.counted("sluice_authorization_decisions_total"):
            raise Failure(f"{subject.name} does not enforce the policies of this measure")
        return instance

    def _connect(self, instance, limit, count):
        result = self.scene.load.run(instance.name, "connect", instance.target(limit),
                                     "--count", count, "--connections", AT_A_TIME)
        return result["per_second"]

    def _connections(self, instance):
        """There and back again, so that what drifts meets all of them alike."""
        cpu, seconds = dict.fromkeys(LIMITS, 0), dict.fromkeys(LIMITS, 0)
        for limit in [*LIMITS, *reversed(LIMITS)]:
            with CpuClock(instance) as clock:
                seconds[limit] += self.count / self._connect(instance, limit, self.count)
            cpu[limit] += clock.seconds
        values = {f"admission_over_{limit}": cpu[limit] / cpu["none"] for limit in LIMITS[1:]}
        for limit in LIMITS:
            values[f"admission_cpu_us_{limit}"] = cpu[limit] / (2 * self.count) * 1e6
            values[f"admission_per_s_{limit}"] = 2 * self.count / seconds[limit]
        return values
