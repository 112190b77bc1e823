"""Messages of 64 bytes there and back over 64 established connections: the cost of one in a closed loop, and the
latency at a rate that every subject can carry in an open one."""
from .measure import CpuClock, Figure, Measure

CONNECTIONS = 64
RATE = 10000


class RoundTrips(Measure):
    name = "roundtrips"
    seconds = 1.0
    figures = [
        Figure("round_trip_cpu_us", "64 B round trip, 64 connections: CPU µs", 2),
        Figure("round_trips_per_s", "64 B round trip, 64 connections: per second", 0, "higher"),
        Figure("round_trip_p50_us", f"64 B round trip at {RATE}/s: p50 µs (open loop)", 0),
        Figure("round_trip_p99_us", f"64 B round trip at {RATE}/s: p99 µs (open loop)", 0),
    ]

    def sample(self, running):
        closed, cpu = self._ping(running)
        opened, _ = self._ping(running, "--rate", RATE)
        return {
            "round_trip_cpu_us": cpu.per(closed["round_trips"] / 1e6),
            "round_trips_per_s": closed["per_second"],
            "round_trip_p50_us": opened["p50_us"],
            "round_trip_p99_us": opened["p99_us"],
        }

    def _ping(self, running, *flags):
        with self.scene.load.client(running.name, "pingpong", running.target("echo"), "--gated",
                                    "--connections", CONNECTIONS, "--seconds", self.seconds, *flags) as client:
            client.answer()
            with CpuClock(running) as cpu:
                client.go_on()
                result = client.answer()
        return result, cpu
