"""What an access log and a scrape of the metrics each second cost, beside an instance with neither."""
import contextlib

from ..subjects.observed import WAYS, ObservedInstance
from .measure import CpuClock, Figure, Measure

AT_A_TIME = 16
SAID = {"off": "no access log", "log": "access log", "scraped": "access log, 1 scrape/s"}


def _figures():
    for way in WAYS:
        yield Figure(f"observability_connection_cpu_us_{way}", f"new connection + 64 B echo, {SAID[way]}: CPU µs", 1)
        yield Figure(f"observability_per_s_{way}", f"new connection + 64 B echo, {SAID[way]}: per second", 0, "higher")
        yield Figure(f"observability_round_trip_cpu_us_{way}", f"64 B round trip, {SAID[way]}: CPU µs", 2)
    for way in WAYS[1:]:
        yield Figure(f"observability_connection_over_{way}", f"new connection, {SAID[way]}: CPU / without", 3)
        yield Figure(f"observability_round_trip_over_{way}", f"64 B round trip, {SAID[way]}: CPU / without", 3)


class Observability(Measure):
    name = "observability"
    rounds = 9
    count = 1500  # there, and as many back
    seconds = 0.6  # of round trips, there and back
    connections = 64
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
                self._stacks[name], self._taken[name] = contextlib.ExitStack(), 0
                self._instances[name] = self._start(running.subject, self._stacks[name])
            values = self._values(self._instances[name])
            self._taken[name] += 1
            ended = self._taken[name] == self.rounds
        finally:
            # After the last round as after a failure.
            if ended:
                self._stacks.pop(name).close()
                self._instances.pop(name, None)
        return values

    def _start(self, subject, stack):
        number = len(self._taken)
        instances = {way: stack.enter_context(ObservedInstance(subject, way, number).running()) for way in WAYS}
        for instance in instances.values():
            self._connect(instance, 200)
            instance.check_lines(200)
        return instances

    def _connect(self, instance, count):
        result = self.scene.load.run(instance.name, "connect", instance.target(),
                                     "--count", count, "--connections", AT_A_TIME)
        return result["per_second"]

    def _values(self, instances):
        """There and back again, so that what drifts meets all of them alike."""
        cpu, seconds = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0)
        round_trip_cpu, round_trips = dict.fromkeys(WAYS, 0), dict.fromkeys(WAYS, 0)
        for way in [*WAYS, *reversed(WAYS)]:
            instance = instances[way]
            with instance.observed():
                with CpuClock(instance) as clock:
                    seconds[way] += self.count / self._connect(instance, self.count)
                cpu[way] += clock.seconds
                spent, made = self._ping(instance)
            round_trip_cpu[way] += spent
            round_trips[way] += made
        values = {}
        each = {way: round_trip_cpu[way] / round_trips[way] for way in WAYS}
        for way in WAYS:
            values[f"observability_connection_cpu_us_{way}"] = cpu[way] / (2 * self.count) * 1e6
            values[f"observability_per_s_{way}"] = 2 * self.count / seconds[way]
            values[f"observability_round_trip_cpu_us_{way}"] = each[way] * 1e6
        for way in WAYS[1:]:
            values[f"observability_connection_over_{way}"] = cpu[way] / cpu["off"]
            values[f"observability_round_trip_over_{way}"] = each[way] / each["off"]
        return values

    def _ping(self, instance):
        with self.scene.load.client(instance.name, "pingpong", instance.target(), "--gated", "--size", 64,
                                    "--connections", self.connections, "--seconds", self.seconds) as client:
            client.answer()
            with CpuClock(instance) as clock:
                client.go_on()
                result = client.answer()
        return clock.seconds, result["round_trips"]
