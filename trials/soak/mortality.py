"""The backends: those that stay, and those that die and return."""
import sys
import time

from ..common.bench import Failure, free_port

DEAD_S, LIVING_S = 1.5, 4.0
STEADY, MORTAL = ("a", "b", "c"), ("m1", "m2", "m3", "m4")


class Backends:
    """Processes by name. Notes in `timeline`, by the port in the clear, when one is `up`, else `down`."""

    def __init__(self, processes, pair, timeline):
        self._processes, self._pair, self._timeline = processes, pair, timeline
        self.ports = {name: {kind: free_port() for kind in ("plain", "tls", "headed")} for name in (*STEADY, *MORTAL)}
        self._started = {}
        self.deaths = 0
        self._fate, self._due = "living", 0.0

    def start(self, name):
        ports = self.ports[name]
        command = ["nice", "-n", "5", sys.executable, "-B", "-m", "trials.soak.backends", name, *self._pair,
                   ports["plain"], ports["tls"], ports["headed"]]
        self._started[name] = self._processes.start(f"backend-{name}", command)

    def start_all(self):
        for name in self.ports:
            self.start(name)
        for name in self.ports:
            self._wait(name)
            self._note(name, "up")

    def turn(self, now):
        """Lets one of the mortal ones die, or return, where its time has come. From the thread that started them: a
        process that another thread starts ends with that thread."""
        if now < self._due:
            return
        name = MORTAL[self.deaths % len(MORTAL)]
        if self._fate == "living":
            self._kill(name)
            self._fate, self._due = "dead", now + DEAD_S
        elif self._fate == "dead":
            self.start(name)
            self._fate = "returning"
        elif self._listens(name):
            self._note(name, "up")
            self.deaths += 1
            self._fate, self._due = "living", now + LIVING_S
        else:
            self._started[name].check()

    def rest(self):
        """Waits until all of them live."""
        while self._fate != "living":
            self.turn(time.monotonic())
            time.sleep(0.05)

    def _kill(self, name):
        self._note(name, "down")
        started = self._started[name]
        started.process.kill()
        started.process.wait()
        self._processes.end(started)

    def check(self):
        for name in STEADY:
            self._started[name].check()

    def _note(self, name, state):
        self._timeline.note(f"127.0.0.1:{self.ports[name]['plain']}", state)

    def _wait(self, name, patience=30):
        deadline = time.monotonic() + patience
        while not self._listens(name):
            self._started[name].check()
            if time.monotonic() > deadline:
                raise Failure(f"backend {name} does not listen after {patience} s")
            time.sleep(0.05)

    def _listens(self, name):
        """Whether it listens on its last port, asked without a connection."""
        with open("/proc/net/tcp") as table:
            return any(f":{self.ports[name]['headed']:04X} 00000000:0000 0A" in line for line in table)
