"""Thousands of connections listed at sluice's admin address, beside messages on others: how long a list takes, what it costs, and
how long the messages wait meanwhile. A list that misses a connection is a failure."""
import http.client
import statistics
import time

from ..failure import Failure
from .disturbance import RATE, bystanders
from .measure import CpuClock, Figure, Measure

# A list is asked for as often: more often than the status page and `sluice top` do.
EVERY_S = 0.5


class Listing(Measure):
    name = "listing"
    connections = 9000
    seconds = 3.0
    fresh = True
    figures = [
        Figure("listing_ms", "connections listed: ms", 0),
        Figure("listing_worst_ms", "the same, the slowest: ms", 0),
        Figure("listing_mib", "the answer: MiB", 2),
        Figure("listing_cpu_ms", "CPU for each list, with nothing beside it: ms", 1),
        Figure("listing_p99_quiet_us", f"64 B round trip at {RATE}/s: p99 µs", 0),
        Figure("listing_p99_us", f"the same, with a list each {EVERY_S} s: p99 µs", 0),
        Figure("listing_p99_ratio", "p99 with lists / without", 2),
        Figure("listing_max_quiet_us", f"64 B round trip at {RATE}/s: the longest, µs", 0),
        Figure("listing_max_us", f"the same, with a list each {EVERY_S} s: the longest, µs", 0),
    ]

    def suits(self, running):
        return {"admin", "herd"} <= set(running.ports)

    def sample(self, running):
        with self.scene.load.client(running.name, "idle", running.target("herd"), "--gated",
                                    "--steps", f"200,{self.connections}") as idle:
            idle.answer()
            idle.go_on()
            idle.answer()
            with CpuClock(running) as clock:
                alone = [self._list(running) for _ in range(5)]
            quiet = self._others(running)
            times = []
            disturbed = self._others(running, beside=times)
        milliseconds = [took * 1000 for took, _ in times]
        return {
            "listing_ms": statistics.median(milliseconds), "listing_worst_ms": max(milliseconds),
            "listing_mib": times[0][1] / 2**20, "listing_cpu_ms": clock.per(len(alone) / 1000),
            "listing_p99_quiet_us": quiet["p99_us"], "listing_p99_us": disturbed["p99_us"],
            "listing_p99_ratio": disturbed["p99_us"] / quiet["p99_us"],
            "listing_max_quiet_us": quiet["max_us"], "listing_max_us": disturbed["max_us"],
        }

    def _others(self, running, beside=None):
        """Messages; with a list given, connections are listed beside them, and what each took is appended."""
        with bystanders(self.scene.load, running, self.seconds) as answer:
            end = time.perf_counter() + self.seconds
            while beside is not None and time.perf_counter() < end - EVERY_S:
                beside.append(self._list(running))
                time.sleep(EVERY_S)
            return answer()

    def _list(self, running):
        """Seconds and bytes of one list."""
        start = time.perf_counter()
        client = http.client.HTTPConnection("127.0.0.1", running.ports["admin"], timeout=20)
        client.request("GET", f"/connections?limit={self.connections + 1000}")
        answer = client.getresponse()
        body = answer.read()
        client.close()
        took = time.perf_counter() - start
        found = body.count(b'"id":')
        if answer.status != 200 or found < self.connections:
            raise Failure(f"a list of {found} connections, status {answer.status}: there are {self.connections} or more")
        return took, len(body)
