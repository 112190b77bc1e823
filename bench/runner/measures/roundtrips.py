"""Messages there and back over established connections: the cost of one in a closed loop, and the latency at a
rate that every subject can carry in an open one."""
from .measure import CpuClock, Figure, Measure


def _figures(key, size, connections, rate):
    what = f"{size} round trip, {connections} connections"
    return [
        Figure(f"round_trip{key}_cpu_us", f"{what}: CPU µs", 2),
        Figure(f"round_trips{key}_per_s", f"{what}: per second", 0, "higher"),
        *(Figure(f"round_trip{key}_{name}_us", f"{what}, at {rate}/s: {title} µs (open loop)", 0)
          for name, title in (("p50", "p50"), ("p99", "p99"), ("p999", "p99.9"))),
    ]


class RoundTrips(Measure):
    name = "roundtrips"
    seconds = 1.0
    service = "echo"
    size, connections = 64, 64
    # At most a third of what the slowest of the peers answers in the closed loop on two cores (26,000 to 50,000 per second;
    # 22,000 of 16 KiB): latencies are then those of a proxy that is up to its work, and not of a queue.
    rate = 10000
    figures = _figures("", "64 B", connections, rate)

    def suits(self, running):
        return self.service in running.ports

    def sample(self, running):
        closed, cpu = self._ping(running)
        opened, _ = self._ping(running, "--rate", self.rate)
        values = (cpu.per(closed["round_trips"] / 1e6), closed["per_second"],
                  opened["p50_us"], opened["p99_us"], opened["p999_us"])
        return dict(zip((figure.key for figure in self.figures), values))

    def _ping(self, running, *flags):
        with self.scene.load.client(running.name, "pingpong", running.target(self.service), "--gated", "--size", self.size,
                                    "--connections", self.connections, "--seconds", self.seconds, *flags) as client:
            client.answer()
            with CpuClock(running) as cpu:
                client.go_on()
                result = client.answer()
        return result, cpu


class RoundTripsMany(RoundTrips):
    name = "roundtrips-1024"
    connections = 1024
    figures = _figures("_1024", "64 B", connections, RoundTrips.rate)


class RoundTripsLarge(RoundTrips):
    name = "roundtrips-16k"
    service = "echo-large"
    size = 16 * 1024
    rate = 5000
    figures = _figures("_16k", "16 KiB", RoundTrips.connections, rate)


class RoundTripsLargeMany(RoundTripsLarge):
    name = "roundtrips-16k-1024"
    connections = 1024
    figures = _figures("_16k_1024", "16 KiB", connections, RoundTripsLarge.rate)
