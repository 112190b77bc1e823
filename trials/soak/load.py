"""The load: clients that run, and everything that happens meanwhile, in turns of 100 ms."""
import collections
import json
import sys
import threading
import time

from ..common.bench import Failure
from .configuration import ROTATED

TURN_S = 0.1
CERTIFICATE_EVERY_S, ROTATION_EVERY_S, SAMPLE_EVERY_S = 2.0, 7.0, 5.0


class Load:
    """One stretch of load: `run`, and what it counted."""

    def __init__(self, trial, seconds):
        self._trial, self._seconds = trial, seconds
        self._said = collections.deque()  # lines of clients
        self.samples = []  # a Census each
        self.certificates = 0
        self.late = 0  # turns that began too late to keep up

    def run(self):
        clients = self._start_clients()
        self._over, self._broken = threading.Event(), []
        certificates = threading.Thread(target=self._replace_certificates, daemon=True)
        certificates.start()
        self._turns(time.monotonic() + self._seconds, clients)
        self._over.set()
        certificates.join()
        self._trial.backends.rest()
        clients.process.stdin.close()
        self._wait_for(clients)
        self._reader.join()
        self._drain()
        if clients.process.returncode or self._broken:
            raise Failure(f"the load broke down: {self._broken or clients.process.returncode}\n{clients.log_end()}")

    def _start_clients(self):
        trial = self._trial
        described = trial.folder / "clients.json"
        described.write_text(json.dumps({
            "load": trial.load, "world": {
                "ports": trial.configuration.ports, "admin": trial.gateway.admin, "authority": str(trial.authority.certificate),
                "known": list(map(str, trial.known)), "foreign": list(map(str, trial.foreign))}}))
        started = trial.processes.start(
            "clients", ["nice", "-n", "5", sys.executable, "-B", "-m", "trials.soak.clients", described], talks=True)
        self._reader = threading.Thread(target=lambda: self._said.extend(started.process.stdout), daemon=True)
        self._reader.start()
        return started

    def _turns(self, end, clients):
        trial = self._trial
        due = time.monotonic()
        rotation, sample = due + ROTATION_EVERY_S, due
        while (now := time.monotonic()) < end:
            trial.gateway.started.check()
            trial.backends.check()
            clients.check()
            if self._broken:
                return
            trial.changes.step()
            trial.backends.turn(now)
            self._drain()
            if now >= rotation:
                trial.tail.rotate(trial.gateway.hang_up)
                rotation = now + ROTATION_EVERY_S
            if now >= sample:
                self.samples.append(trial.gateway.census())
                trial.note_progress(self.samples[-1])
                sample = now + SAMPLE_EVERY_S
            due += TURN_S
            self.late += time.monotonic() > due + TURN_S
            due = max(due, time.monotonic() - TURN_S)
            time.sleep(max(0, due - time.monotonic()))

    def _wait_for(self, clients, patience=120):
        end = time.monotonic() + patience
        while clients.process.poll() is None:
            if time.monotonic() > end:
                raise Failure(f"the clients do not end within {patience} s")
            self._drain()
            time.sleep(TURN_S)

    def _drain(self):
        # First, so that what it did is known when the judge hears of it.
        self._trial.watch_kernel()
        while self._said:
            self._trial.judge.record(json.loads(self._said.popleft()))
        self._trial.drain()

    def _replace_certificates(self):
        """In a thread: a key takes longer than a turn may."""
        try:
            while not self._over.wait(CERTIFICATE_EVERY_S):
                self._trial.replace_certificate(ROTATED[self.certificates % len(ROTATED)])
                self.certificates += 1
        except Exception as error:
            self._broken.append(f"certificates: {type(error).__name__}: {error}")
