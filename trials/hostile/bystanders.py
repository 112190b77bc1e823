"""Clients that behave: what they have to wait is what an attack does to others."""
import contextlib
import dataclasses

# Modest: the machine has to have time for the attack beside them.
CONNECTIONS, RATE, NEW_RATE = 16, 400, 100


@dataclasses.dataclass(frozen=True)
class Waits:
    """Microseconds, the slowest of a hundred."""

    round_trip: float  # of 64 bytes over established TLS
    new: float         # of a new TLS connection and its first 64 bytes
    direct: float      # as round_trip, to the backend itself: what the machine alone does


def measure(scene, seconds, service):
    flags = ["--gated", "--connections", CONNECTIONS, "--rate", RATE, "--seconds", seconds]
    with contextlib.ExitStack() as clients:
        established = clients.enter_context(scene.load.client("gateway", "pingpong", scene.target(service), *flags))
        direct = clients.enter_context(scene.load.client("direct", "pingpong", scene.target("direct"), *flags))
        for client in (established, direct):
            client.answer()
        new = clients.enter_context(scene.load.client(
            "gateway", "connect", scene.target(service), "--rate", NEW_RATE, "--count", int(NEW_RATE * seconds)))
        for client in (established, direct):
            client.go_on()
        return Waits(round_trip=established.answer()["p99_us"], new=new.answer()["p99_us"], direct=direct.answer()["p99_us"])
