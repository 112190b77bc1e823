"""Readers that stop reading, beside others of the same service and messages of another: whether the others suffer, and
what the proxy keeps for those that read nothing. What they read in the end is checked as all else."""
import contextlib

from ..accounting import PeakMemory
from ..failure import Failure
from .disturbance import RATE, bystanders
from .measure import Figure, Measure

# One that reads 64 KiB/s, and eight that read nothing at all.
SLOW = {"one": (1, 64 * 1024), "eight": (8, 0)}

# Four at a pace that leaves the machine idle for most of the time: then a delay is the proxy's.
FAST, PACE = 4, 25_000_000

WARM_S = 0.3


class SlowReader(Measure):
    name = "slow-reader"
    seconds = 2.0
    fresh = True  # or memory that an earlier measure left would hide what the slow readers take
    figures = [
        Figure("slow_p99_quiet_us", f"64 B round trip at {RATE}/s beside 100 MB/s of bulk: p99 µs", 0),
        Figure("slow_p99_one_us", "the same, beside one slow reader (64 KiB/s): p99 µs", 0),
        Figure("slow_p99_eight_us", "the same, beside eight stalled readers: p99 µs", 0),
        Figure("slow_p99_one_ratio", "p99 beside one slow reader / without", 2),
        Figure("slow_p99_eight_ratio", "p99 beside eight stalled readers / without", 2),
        Figure("slow_bulk_one_share", "bulk beside one slow reader / without", 3, "higher"),
        Figure("slow_bulk_eight_share", "bulk beside eight stalled readers / without", 3, "higher"),
        Figure("slow_memory_mib", "memory for eight stalled readers and all beside them: MiB", 2),
    ]

    def suits(self, running):
        return {"bulk", "echo"} <= set(running.ports)

    def sample(self, running):
        self._others(running, WARM_S)  # what the load itself needs is there
        before, values = self._others(running), {}
        for key, (count, pace) in SLOW.items():
            peak = PeakMemory(*running.pids)
            with self._slow(running, count, pace):
                values[f"slow_p99_{key}_us"], values[f"slow_bulk_{key}_share"] = self._others(running)
                # The last one counts: the eight.
                values["slow_memory_mib"] = peak.grown_mib()
        # Undisturbed before and after, so that a machine that slows down meanwhile does not count for disturbance.
        p99, bulk = ((one + other) / 2 for one, other in zip(before, self._others(running)))
        values["slow_p99_quiet_us"] = p99
        for key in SLOW:
            values[f"slow_p99_{key}_ratio"] = values[f"slow_p99_{key}_us"] / p99
            values[f"slow_bulk_{key}_share"] /= bulk
        return values

    def _paced(self, running, count, pace, seconds):
        return self.scene.load.client(running.name, "paced", running.target("bulk"), "--connections", count,
                                      "--rate", pace, "--seconds", seconds)

    @contextlib.contextmanager
    def _slow(self, running, count, pace):
        """Slow readers for as long as the others run, and some more; afterwards they have read what there was."""
        with self._paced(running, count, pace, self.seconds + 0.5) as client:
            client.answer()
            yield
            slowly = client.answer()["paced_bytes"]
        if slowly > count * pace * (self.seconds + 1):
            raise Failure(f"slow readers were given {slowly} bytes: they were not slow")

    def _others(self, running, seconds=None):
        """Messages and bulk at a pace; returns p99 in microseconds, and the bytes of the bulk."""
        seconds = seconds or self.seconds
        with bystanders(self.scene.load, running, seconds) as answer, self._paced(running, FAST, PACE, seconds) as bulk:
            bulk.answer()
            return answer()["p99_us"], bulk.answer()["paced_bytes"]
