"""Bulk TCP from the backend to the client."""
from .measure import CpuClock, Figure, Measure

STREAMS = (1, 16)


class Bulk(Measure):
    name = "bulk"
    seconds = 1.5
    figures = [figure for streams in STREAMS for figure in (
        Figure(f"cpu_s_per_gb_{streams}", f"bulk TCP, {streams} stream{'s' * (streams > 1)}: CPU s/GB", 3),
        Figure(f"gb_per_s_{streams}", f"bulk TCP, {streams} stream{'s' * (streams > 1)}: GB/s", better="higher"),
    )]

    def sample(self, running):
        values = {}
        for streams in STREAMS:
            with CpuClock(running) as cpu:
                result = self.scene.load.run(
                    running.name, "sink", running.target("bulk"), "--connections", streams, "--seconds", self.seconds)
            values[f"cpu_s_per_gb_{streams}"] = cpu.per(result["bytes"] / 1e9)
            values[f"gb_per_s_{streams}"] = result["bytes_per_second"] / 1e9
        return values
