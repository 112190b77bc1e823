"""Thousands of connections opened at once, each with one message, beside few that are there already: until when all are
answered, what the proxy takes for them, and how long the others wait meanwhile. A refused or reset one is a failure."""
import time

from ..accounting import PeakMemory, listen_overflows
from .disturbance import RATE, bystanders
from .measure import Figure, Measure

# The others' messages go on for as long, so that p99 is of the same time for every proxy.
SECONDS = 3.0

# Of the others. A connection carries one message at a time: with few of them each would send so often that one wait makes the
# next messages late, too, and what is shown is a queue within the client.
OTHERS = 256


class Stampede(Measure):
    name = "stampede"
    connections = 9000
    fresh = True
    figures = [
        Figure("stampede_s", "connections opened at once: s until all were answered", 2),
        Figure("stampede_p50_ms", "connections opened at once: median ms until the answer", 0),
        Figure("stampede_overflows", "connections opened at once: met a full queue, and were tried again", 0),
        Figure("stampede_memory_mib", "connections opened at once: growth of memory, MiB", 1),
        Figure("stampede_p99_quiet_us", f"64 B round trip at {RATE}/s over 3 s: p99 µs", 0),
        Figure("stampede_p99_us", f"64 B round trip at {RATE}/s over 3 s, with a stampede in them: p99 µs", 0),
        Figure("stampede_p99_ratio", "p99 with a stampede / without", 1),
    ]

    def suits(self, running):
        return "herd" in running.ports

    def sample(self, running):
        with bystanders(self.scene.load, running, SECONDS, OTHERS) as answer:
            quiet = answer()
        peak, overflows = PeakMemory(*running.pids), listen_overflows()
        with self.scene.load.client(running.name, "stampede", running.target("herd"), "--gated",
                                    "--connections", self.connections) as herd, \
                bystanders(self.scene.load, running, SECONDS, OTHERS) as answer:
            herd.answer()
            time.sleep(0.2)  # the others are at work
            herd.go_on()
            all_answered = herd.answer()
            others = answer()
            grown = peak.grown_mib()
        return {
            "stampede_s": all_answered["seconds"], "stampede_p50_ms": all_answered["p50_us"] / 1000,
            "stampede_overflows": listen_overflows() - overflows, "stampede_memory_mib": grown,
            "stampede_p99_quiet_us": quiet["p99_us"], "stampede_p99_us": others["p99_us"],
            "stampede_p99_ratio": others["p99_us"] / quiet["p99_us"],
        }
