"""Proves, before anything is measured, that wrong data would be noticed: a check that can't fail is none."""
import dataclasses

from .failure import Failure
from .load import Client, Target
from .measures.transfer import verified_transfer
from .relay import FAULTS, Relay

SIZE = 4 << 20


@dataclasses.dataclass(frozen=True)
class Trial:
    """A mode of the load generator with its server, and a fault that it has to notice."""

    server: str
    client: list
    fault: str
    at: int
    towards: str = "client"


# In bulk, the ends of each chunk are compared: what is noticed is a byte too few. Messages are compared as a whole.
TRIALS = [
    Trial("source", ["sink", "--seconds", 0.03], "lose", 100_000),
    Trial("discard", ["upload", "--seconds", 0.03], "lose", 100_000, towards="backend"),
    Trial("echo", ["connect"], "corrupt", 30),
    Trial("echo", ["connect", "--hello", "selftest.bench.test"], "corrupt", 200),
]


def prove(scene):
    for fault in [None, *FAULTS]:
        _judge("transfer", fault, _transfer(scene, fault))
    for trial in TRIALS:
        for fault in None, trial.fault:
            _judge(trial.client[0], fault, _try(scene, trial, fault))


def _judge(mode, fault, problem):
    if fault and not problem:
        raise Failure(f"selftest: {mode} takes a relay with the fault '{fault}' for right")
    if problem and not fault:
        raise Failure(f"selftest: {mode} fails by a relay without a fault: {problem}")


def _transfer(scene, fault):
    """Runs a transfer through a relay; returns what is wrong with it."""
    server, port = scene.load.serve("selftest", "transfer")
    try:
        with Relay(port, fault, at=SIZE // 2) as relay:
            verified_transfer(scene.load, "selftest", Target(relay.port), SIZE, Client(server))
    except Failure as failure:
        return str(failure)
    finally:
        scene.processes.end(server)
    return None


def _try(scene, trial, fault):
    """Runs a client through a relay; returns what it complains about."""
    server, port = scene.load.serve("selftest", trial.server)
    mode, *flags = trial.client
    try:
        with Relay(port, fault, trial.at, trial.towards) as relay:
            scene.load.run("selftest", mode, Target(relay.port), *flags)
    except Failure as failure:
        return str(failure)
    finally:
        scene.processes.end(server)
    return None
