"""The whole trial: its parts, and the order of a run."""
import collections
import dataclasses
import json
import time

from ..common.certificates import Authority
from ..common.gateway import Gateway
from ..common.kernel import tcp_aborts_for_memory
from ..common.tail import Tail
from . import agreement, journal
from .changes import Changes
from .configuration import ROTATED, Configuration
from .judge import TCP_MEMORY, Judge
from .load import Load
from .mortality import Backends
from .observers import Observers
from .scenarios import scenarios
from .sink import Sink
from .timeline import Timeline

# How long counts have to stand still after the load before they are taken, and how long that may take.
STILL_S, SETTLE_S = 5.0, 90.0


class Trial:
    def __init__(self, processes, folder, binary, load=1):
        self.processes, self.folder, self.load = processes, folder, load
        self.timeline = Timeline()
        self.judge = Judge(self.timeline)
        self._aborts, self._memory = tcp_aborts_for_memory(), "enough"
        self.timeline.note(TCP_MEMORY, "enough")
        self._queue = collections.deque()  # what other threads have to say to the judge
        self.authority = Authority(folder / "certificates")
        clients, strangers = Authority(folder / "clients", "clients"), Authority(folder / "strangers", "strangers")
        self.known = clients.issue("known", usage="clientAuth")
        self.foreign = strangers.issue("foreign", usage="clientAuth")
        backend = self.authority.issue("backend", "backend.soak.test", "*.soak.test", "*.passing.test")
        self.backends = Backends(processes, backend, self.timeline)
        self.configuration = Configuration(folder / "manifests", self.backends.ports, self.authority, clients)
        self.backends.start_all()
        self.configuration.write()
        for listener in ROTATED:
            self.replace_certificate(listener)
        self.sink = Sink(lambda connection: self._queue.append((self.judge.event, connection)))
        self.gateway = Gateway(processes, folder, binary, self.configuration.folder.path, "--workers", "2",
                               "--event-sink", self.sink.url, "--log-level", "info")
        self.tail = Tail(self.gateway.log)
        self.changes = Changes(self.configuration, self.timeline)

    def complain(self, what):
        """From any thread."""
        self._queue.append((self.judge.complain, what))

    def drain(self):
        """Hands the judge what has come: lines of the log, events, complaints."""
        for line in self.tail.lines():
            self.judge.line(line)
        while self._queue:
            handle, what = self._queue.popleft()
            handle(what)

    def watch_kernel(self):
        aborts = tcp_aborts_for_memory()
        state = "enough" if aborts == self._aborts else "short"
        if state != self._memory:
            self.timeline.note(TCP_MEMORY, state)
        self._aborts, self._memory = aborts, state

    def note_progress(self, census):
        """A line of JSON in `progress.log`, for those who cannot wait for the end."""
        with open(self.folder / "progress.log", "a") as log:
            log.write(json.dumps({"time": round(time.time()), "lines": self.judge.lines, "complained": self.judge.complained,
                                  "waiting": self.judge.waiting(), "changes": self.changes.made,
                                  **dataclasses.asdict(census)}) + "\n")

    def replace_certificate(self, listener):
        self.configuration.write_certificate(
            listener, lambda fingerprint: self.timeline.note(f"certificate-{listener}", fingerprint))

    def run(self, warm_up_s, seconds):
        """Returns (the Load that counts, the census before it, the one after it)."""
        self.gateway.wait_until_ready()
        observers = Observers(self.gateway, self.complain, self.timeline)
        Load(self, warm_up_s).run()
        before = self.settle()
        load = Load(self, seconds)
        load.run()
        after = self.settle()
        observers.end()
        self._finish()
        return load, before, after, observers

    def settle(self):
        """Restores the configuration, and waits until the process lets go of nothing more; returns its census then."""
        self.changes.restore()
        end = time.monotonic() + SETTLE_S
        census, still_since = self.gateway.census(), time.monotonic()
        while time.monotonic() < end:
            time.sleep(0.5)
            self.drain()
            new = self.gateway.census()
            held = (new.descriptors, new.pipes, new.threads), (census.descriptors, census.pipes, census.threads)
            if held[0] != held[1] or self._open_connections():
                still_since = time.monotonic()
            census = new
            if time.monotonic() - still_since > STILL_S:
                break
        return census

    def _open_connections(self):
        return self.gateway.ask("/connections?limit=1")["total"]

    def _finish(self):
        """Waits for what is still on its way to the judge, and holds the metrics against the log."""
        end = time.monotonic() + 30
        while time.monotonic() < end and (any(self.judge.waiting()) or self.judge.unseen_events):
            self.drain()
            time.sleep(0.2)
        self.tail.close()
        self.judge.close()
        self.judge.missing({scenario.name for scenario in scenarios(self.load)})
        if not self.judge.resumed:
            self.judge.complain("no session was resumed")
        self.generations = self.gateway.metrics().sum("sluice_config_generation")
        agreement.check(self.gateway, self.judge)
        journal.read(self.gateway.journal, self.judge, self.timeline, self.sink)
        journal.read_backends(self.folder, self.judge, self.timeline)
