"""What Sluice wants to reach, and the only place outside the measures that knows keys of figures."""
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


# Some peers can be set up in several forms, or told of a change in several ways. The measures keep them apart by a part of the
# key; a peer's best form is what we are held against.
FORMS = {"_addresses": "addresses", "_map": "set map", "_server": "set server"}

AIMS = [
    Beside("bulk TCP, 1 stream: CPU per GB", "cpu_s_per_gb_1", 0.85),
    Beside("bulk TCP, 16 streams: CPU per GB", "cpu_s_per_gb_16", 1.0),
    Beside("new connection: CPU", "connection_cpu_us", 1.0, stretch=0.95),
    Beside("64 B round trip, 64 connections: CPU", "round_trip_cpu_us", 1.0, stretch=0.95),
    Beside("64 B round trip, 64 connections: p99", "round_trip_p99_us", 1.0),
    Beside("64 B round trip, 1,024 connections: CPU", "round_trip_1024_cpu_us", 1.0, stretch=0.95),
    Beside("64 B round trip, 1,024 connections: p99", "round_trip_1024_p99_us", 1.0),
    Beside("SNI passthrough connection: CPU", "sni_cpu_us_1", 0.95),
    Within("SNI passthrough: 10,000 names / 1 name", "sni_cpu_us_10000", "sni_cpu_us_1", 1.03),
    Beside("full TLS handshake, ECDSA: CPU", "handshake_cpu_us", 1.0, same_tls=True),
    Beside("full TLS handshake, RSA-2048: CPU", "handshake_rsa_cpu_us", 1.0, same_tls=True),
    Beside("resumed TLS handshake: CPU", "handshake_resumed_cpu_us", 1.0, same_tls=True),
    Beside("bulk TLS to the client: CPU per GB", "cpu_s_per_gb_tls", 0.95, same_tls=True),
    Beside("bulk TLS from the client: CPU per GB", "cpu_s_per_gb_tls_upload", 1.0, same_tls=True),
    Beside("idle connection, plain: memory", "idle_kib", 0.15),
    Beside("idle connection, TLS terminated: memory", "idle_tls_kib", 0.8),
    Beside("10,000 SNI routes: start", "names_start_ms", 0.3),
    Beside("10,000 SNI routes: memory", "names_memory_mib", 0.3),
    Limit("one route changed among 10,000: new configuration to served", "names_change_engine_ms", 2, "ms"),
    Limit("one route changed among 10,000: manifest to served", "names_change_ms", 50, "ms"),
    Limit("one route changed among 10,000: connections broken", "names_change_broken", 0, "", exact=True),
    Limit("one route changed among 10,000: refused after the first success", "names_change_refused", 0, "", exact=True),
    Limit("beside one slow reader: others' p99, times undisturbed", "slow_p99_one_ratio", 1.5, ""),
    Limit("beside eight stalled readers: others' p99, times undisturbed", "slow_p99_eight_ratio", 1.5, ""),
    Limit("10,000 endpoints checked every 10 s, connect only: share of one core", "checks_core_percent", 10, "%"),
    Limit("health checks: sockets left in TIME_WAIT", "checks_time_wait", 0, "", exact=True),
    Limit("beside 9,000 connections at once: others' p99, times undisturbed", "stampede_p99_ratio", 1.5, ""),
]
