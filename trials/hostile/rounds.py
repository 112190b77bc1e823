"""One attack, in rounds: clients that behave without it, and beside it; then what is left of it."""
import contextlib
import dataclasses
import statistics
import sys
import threading
import time

from ..common.bench import Failure
from ..common.census import anonymous_bytes
from .bystanders import measure
from .table import slow
from runner.load import Client

ACTIVE, ACCEPTED = "sluice_listener_connections_active", "sluice_listener_connections_accepted_total"
# After an attack, until its last connection has run out of its time and lingered.
SETTLES_S = 25


@dataclasses.dataclass
class Outcome:
    attack: object
    rounds: list = dataclasses.field(default_factory=list)  # (quiet, attacked)
    attackers: int = 0       # connections (or packets) that were begun
    reasons: dict = dataclasses.field(default_factory=dict)
    accepted: float = 0
    cores: list = dataclasses.field(default_factory=list)   # the gateway's, of each round
    grown: int = 0           # bytes, at the highest
    kept: int = 0            # bytes, afterwards
    problems: list = dataclasses.field(default_factory=list)

    def median(self, field, attacked):
        return statistics.median(getattr(pair[attacked], field) for pair in self.rounds)

    def ratio(self, field):
        """Of the medians of all rounds."""
        return self.median(field, True) / self.median(field, False)


class _Peak:
    """The most memory that the gateway has while the context is entered."""

    def __init__(self, gateway):
        self._gateway, self._over, self.bytes = gateway, threading.Event(), 0
        self._thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self._over.wait(0.1) and self._gateway.started.process.poll() is None:
            self.bytes = max(self.bytes, anonymous_bytes(self._gateway.pid))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()


@contextlib.contextmanager
def _attackers(scene, attack, report):
    command = [*scene.placing.attackers, sys.executable, "-B", "-m", "trials.hostile.attacker", *attack.command,
               "--to", f"127.0.0.1:{scene.ports[attack.service]}", "--certificates", scene.folder / "certificates"]
    started = scene.processes.start("attacker", command, talks=True)
    attacker = Client(started)
    try:
        attacker.answer()
        yield
        # One that has a number of connections to make goes on until it has.
        if not attack.in_all:
            attacker.go_on()
        report.update(attacker.answer())
    finally:
        scene.processes.end(started)


def _settle(scene, outcome, base):
    """Waits until the attack is over for the gateway as well."""
    deadline = time.monotonic() + SETTLES_S
    while True:
        scene.gateway.started.check()
        metrics, census = scene.gateway.metrics(), scene.gateway.census()
        # A pool of pipes may be kept, and a descriptor be open for the scrape itself.
        if metrics.sum(ACTIVE) == 0 and census.sockets <= base.sockets + 1 and census.threads == base.threads:
            return metrics, census
        if time.monotonic() > deadline:
            outcome.problems.append(f"{metrics.sum(ACTIVE):.0f} connections and {census.sockets - base.sockets} sockets are "
                                    f"left after {SETTLES_S} s")
            return metrics, census
        time.sleep(0.2)


def run(scene, attack, rounds, seconds, more=0):
    """`more`: rounds that are added where clients that behave had to wait for too long, which one hiccup may have done."""
    outcome = Outcome(attack)
    gateway, base, before = scene.gateway, scene.gateway.census(), scene.gateway.metrics()
    for number in range(rounds + more):
        if number >= rounds and not slow(outcome):
            break
        report = {}
        try:
            quiet = measure(scene, seconds, attack.beside)
            with _Peak(gateway) as peak, _attackers(scene, attack, report):
                start, cpu = time.monotonic(), gateway.census().cpu_seconds
                attacked = measure(scene, seconds, attack.beside)
                outcome.cores.append((gateway.census().cpu_seconds - cpu) / (time.monotonic() - start))
            outcome.rounds.append((quiet, attacked))
        except Failure as failure:
            outcome.problems.append(str(failure))
        outcome.attackers += report.get("begun", 0)
        outcome.grown = max(outcome.grown, peak.bytes - base.anonymous_bytes)
        metrics, census = _settle(scene, outcome, base)
    _account(scene, outcome, before, metrics)
    outcome.kept = census.anonymous_bytes - base.anonymous_bytes
    return outcome


def _account(scene, outcome, before, after):
    """Every connection that was accepted has ended by exactly one reason, and by one that is expected."""
    old, new = scene.reasons(before), scene.reasons(after)
    outcome.reasons = {reason: int(new[reason] - old.get(reason, 0)) for reason in new if new[reason] > old.get(reason, 0)}
    outcome.accepted = after.sum(ACCEPTED) - before.sum(ACCEPTED)
    ended = sum(outcome.reasons.values())
    if ended != outcome.accepted:
        outcome.problems.append(f"{outcome.accepted:.0f} connections were accepted, and {ended} have ended by a reason")
    # What the clients that behave are counted by.
    unexpected = set(outcome.reasons) - {*outcome.attack.reasons, "client_closed", "tls_truncated"}
    if unexpected:
        outcome.problems.append("unexpected: " + ", ".join(f"{reason} {outcome.reasons[reason]}" for reason in sorted(unexpected)))
    if outcome.grown > outcome.attack.bound:
        outcome.problems.append(f"memory grew by {outcome.grown >> 20} MiB, more than {outcome.attack.bound >> 20}")
