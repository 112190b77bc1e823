"""New connections, each with one message of 64 bytes there and back; plain, and with a full TLS handshake."""
from .measure import CpuClock, Figure, Measure

AT_A_TIME = 16


class Connections(Measure):
    name = "connections"
    service = "echo"
    count = 4000
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
                                         "--count", self.count, "--connections", AT_A_TIME)
        values = cpu.per(result["connections"] / 1e6), result["per_second"], result["p99_us"]
        return dict(zip((figure.key for figure in self.figures), values))


class Handshakes(Connections):
    name = "handshakes"
    service = "tls-echo"
    count = 800
    figures = [
        Figure("handshake_cpu_us", "TLS 1.3 connection, ECDSA P-256, + 64 B echo: CPU µs", 0),
        Figure("handshakes_per_s", "TLS 1.3 connection, ECDSA P-256, + 64 B echo: per second", 0, "higher"),
    ]
