"""Limited bandwidth: how close to the rate every second of a stream is at its receiver, what that costs, and what a limit that is
not reached costs each connection."""
import time

from ..load import Target
from ..subjects.limited import CONNECTION_RATES, RATES, can_limit, limited
from .measure import CpuClock, Figure, Measure

# Until then the burst, an eighth of a second's worth, and what the kernel's buffers hold are through.
SETTLE_TENTHS = 10
AT_A_TIME = 16


def _title(rate):
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if rate >= size:
            return f"{rate // size} {unit}/s"
    return f"{rate} B/s"


def share_within(tenths, rate, tolerance=0.05):
    """Of all seconds, one beginning with each tenth, the share whose bytes are within the tolerance of the rate."""
    seconds = [sum(tenths[first:first + 10]) for first in range(len(tenths) - 9)]
    return sum(abs(count - rate) <= tolerance * rate for count in seconds) / len(seconds)


class Bandwidth(Measure):
    name = "bandwidth"
    seconds = 4.0
    count = 2000
    figures = [figure for key, rate in RATES.items() for figure in (
        Figure(f"bandwidth_{key}_share", f"limit of {_title(rate)}: seconds within 5 % of it, share", 3, "higher"),
        Figure(f"bandwidth_{key}_reached", f"limit of {_title(rate)}: reached / limit", 3, "higher"),
        Figure(f"bandwidth_{key}_cpu", f"limit of {_title(rate)}: CPU, % of a core", 2),
    )] + [
        Figure("bandwidth_connection_us", "new connection + 64 B echo under a limit: CPU µs", 1),
        Figure("bandwidth_connection_ratio", "the same / without a limit", 3),
    ]

    def suits(self, running):
        return can_limit(running.subject)

    def sample(self, running):
        values = {}
        with limited(running.subject) as instance:
            for key, rate in RATES.items():
                self._stream(instance, key, rate, values)
            costs = {name: self._connections(instance, name) for name in CONNECTION_RATES}
        values["bandwidth_connection_us"] = costs["echo-limited"]
        values["bandwidth_connection_ratio"] = costs["echo-limited"] / costs["echo-free"]
        return values

    def _stream(self, instance, key, rate, values):
        begun = time.monotonic()
        with CpuClock(instance) as cpu:
            tenths = self.scene.load.run(instance.name, "meter", Target(instance.ports[key]),
                                         "--seconds", self.seconds + SETTLE_TENTHS / 10)["tenths"]
        steady = tenths[SETTLE_TENTHS:]
        values[f"bandwidth_{key}_share"] = share_within(steady, rate)
        values[f"bandwidth_{key}_reached"] = sum(steady) / (len(steady) / 10) / rate
        values[f"bandwidth_{key}_cpu"] = 100 * cpu.per(time.monotonic() - begun)

    def _connections(self, instance, name):
        with CpuClock(instance) as cpu:
            result = self.scene.load.run(instance.name, "connect", Target(instance.ports[name]),
                                         "--count", self.count, "--connections", AT_A_TIME)
        return cpu.per(result["connections"] / 1e6)
