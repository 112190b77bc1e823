"""What Sluice wants to reach. The only place outside the measures that knows keys of figures."""
import dataclasses


@dataclasses.dataclass(frozen=True)
class Beside:
    """Ours divided by the best peer's is at most `most`. With `same_tls` only peers on our TLS library's release compete."""

    what: str
    key: str
    most: float
    stretch: float | None = None
    same_tls: bool = False


@dataclasses.dataclass(frozen=True)
class Within:
    """One of our figures divided by another of ours is at most `most`."""

    what: str
    key: str
    base: str
    most: float


@dataclasses.dataclass(frozen=True)
class Limit:
    """Our figure is at most `most`, in its own unit. An `exact` one has no spread to lie in: every round has to keep it."""

    what: str
    key: str
    most: float
    unit: str
    exact: bool = False


AIMS = [
    Beside("bulk TCP, 1 stream: CPU per GB", "cpu_s_per_gb_1", 0.85),
    Beside("bulk TCP, 16 streams: CPU per GB", "cpu_s_per_gb_16", 1.0),
    Beside("new connection: CPU", "connection_cpu_us", 1.0, stretch=0.95),
    Beside("64 B round trip: CPU", "round_trip_cpu_us", 1.0, stretch=0.95),
    Beside("64 B round trip: p99", "round_trip_p99_us", 1.0),
    Beside("full TLS handshake, ECDSA: CPU", "handshake_cpu_us", 1.0, same_tls=True),
    Beside("idle connection, plain: memory", "idle_kib", 0.15),
    Beside("idle connection, TLS terminated: memory", "idle_tls_kib", 0.8),
    Limit("changed manifest to served", "change_ms", 50, "ms"),
]
