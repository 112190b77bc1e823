"""New connections, each with one message of 64 bytes there and back."""
from .measure import CpuClock, Figure, Measure

AT_A_TIME = 16


class Connections(Measure):
    name = "connections"
    service = "echo"
    count = 4000
    flags = ()
    figures = [
        Figure("connection_cpu_us", "new connection + 64 B echo: CPU µs", 1),
        Figure("connections_per_s", "new connection + 64 B echo: per second", 0, "higher"),
        Figure("connection_p99_us", "new connection + 64 B echo: p99 µs (closed loop)", 0),
    ]

    def suits(self, running):
        return self.service in running.ports

    def sample(self, running):
        with CpuClock(running) as cpu:
            result = self.scene.load.run(running.name, "connect", running.target(self.service),
                                         "--count", self.count, "--connections", AT_A_TIME, *self.flags)
        self.check(result)
        values = cpu.per(result["connections"] / 1e6), result["per_second"], result["p99_us"]
        return dict(zip((figure.key for figure in self.figures), values))

    def check(self, result):
        """Raises when something else was measured than what was meant."""
