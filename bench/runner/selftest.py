"""Proves, before anything is measured, that wrong data would be noticed: a check that can't fail is none."""
from .failure import Failure
from .load import Client, Target
from .measures.transfer import verified_transfer
from .relay import FAULTS, Relay

SIZE = 4 << 20


def prove(scene):
    for fault in [None, *FAULTS]:
        problem = _transfer(scene, fault)
        if fault and not problem:
            raise Failure(f"selftest: a relay with the fault '{fault}' passes for right")
        if problem and not fault:
            raise Failure(f"selftest: a relay without a fault does not pass: {problem}")


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
