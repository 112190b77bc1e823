"""Bulk TCP from the backend to the client, and from the client to the backend."""
from .measure import CpuClock, Figure, Measure


def figures_of(key, title):
    return [Figure(f"cpu_s_per_gb_{key}", f"{title}: CPU s/GB", 3), Figure(f"gb_per_s_{key}", f"{title}: GB/s", 2, "higher")]


def _streams(count):
    return f"{count} stream{'s' * (count > 1)}"


class Stream(Measure):
    """One service, by a mode of the load generator (`sink` or `upload`), with as many streams at a time as `streams` says."""

    service: str
    mode = "sink"
    seconds = 1.5
    streams: dict  # by the end of the figures' keys

    def suits(self, running):
        return self.service in running.ports

    def sample(self, running):
        values = {}
        flags = ["--takes-cut"] if running.subject.cuts_tls else []
        for key, streams in self.streams.items():
            with CpuClock(running) as cpu:
                result = self.scene.load.run(running.name, self.mode, running.target(self.service),
                                             "--connections", streams, "--seconds", self.seconds, *flags)
            values[f"cpu_s_per_gb_{key}"] = cpu.per(result["bytes"] / 1e9)
            values[f"gb_per_s_{key}"] = result["bytes_per_second"] / 1e9
        return values


class Bulk(Stream):
    name = "bulk"
    service = "bulk"
    streams = {"1": 1, "16": 16}
    figures = [figure for key, streams in streams.items() for figure in figures_of(key, f"bulk TCP, {_streams(streams)}")]


class Upload(Stream):
    name = "upload"
    service = "upload"
    mode = "upload"
    streams = {"upload": 1}
    figures = figures_of("upload", "bulk TCP from the client, 1 stream")
