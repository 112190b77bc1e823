"""Connections whose TLS is passed through by server name: what one costs by one of 10,000 names, beside the only one.

The instances live as long as the measure. By then each name was asked for: what its first connection costs more, on each
thread, is in `names`, and would be charged here to nobody but those with many names."""
import contextlib

from ..subjects.names.kinds import named_subject
from .measure import CpuClock, Figure, Measure
from .names import FORMS, connect, started_ms

COUNTS = (1, 1000, 10000)
WARM_UP = 3  # connections for each name, and never fewer than
LEAST_WARM_UP = 2000


def _figures(suffix, said):
    for count in COUNTS:
        passed = f"SNI passthrough connection, {count:,} name{'s' * (count > 1)}{said}"
        yield Figure(f"sni_cpu_us{suffix}_{count}", f"{passed}: CPU µs", 1)
        yield Figure(f"sni_per_s{suffix}_{count}", f"{passed}: per second", 0, "higher")
    yield Figure(f"sni_growth{suffix}", f"SNI passthrough connection{said}: CPU at {COUNTS[-1]:,} names / at 1", 3)


class SNI(Measure):
    name = "sni"
    rounds = 9
    count = 1000  # there, and as many back
    figures = [figure for form in FORMS.items() for figure in _figures(*form)]

    def __init__(self, scene, **sizes):
        super().__init__(scene, **sizes)
        self._stacks, self._instances, self._taken = {}, {}, {}

    def suits(self, running):
        return named_subject(running.subject) is not None

    def sample(self, running):
        name = running.name
        if name not in self._instances:
            self._stacks[name] = contextlib.ExitStack()
        values, ended = {}, True
        try:
            if name not in self._instances:
                self._instances[name], self._taken[name] = self._start(running.subject, self._stacks[name]), 0
            for form, instances in self._instances[name].items():
                values |= self._connections(instances, form)
            self._taken[name] += 1
            ended = self._taken[name] == self.rounds
        finally:
            # After the last round as after a failure.
            if ended:
                self._stacks.pop(name).close()
                self._instances.pop(name, None)
        return values

    def _start(self, subject, stack):
        named = named_subject(subject)
        found = {form: {count: stack.enter_context(named.prepared(count, form)) for count in COUNTS} for form in named.forms}
        for instances in found.values():
            for instance in instances.values():
                started_ms(instance)
                connect(self.scene.load, instance, max(WARM_UP * instance.count, LEAST_WARM_UP))
        return found

    def _connections(self, instances, form):
        """There and back again, so that what drifts meets few names as it meets many."""
        cpu, seconds = dict.fromkeys(instances, 0), dict.fromkeys(instances, 0)
        for count in [*instances, *reversed(instances)]:
            with CpuClock(instances[count]) as clock:
                seconds[count] += self.count / connect(self.scene.load, instances[count], self.count)["per_second"]
            cpu[count] += clock.seconds
        values = {f"sni_growth{form}": cpu[COUNTS[-1]] / cpu[COUNTS[0]]}
        for count in instances:
            values[f"sni_cpu_us{form}_{count}"] = cpu[count] / (2 * self.count) * 1e6
            values[f"sni_per_s{form}_{count}"] = 2 * self.count / seconds[count]
        return values
