"""An instance of sluice for one measure alone, with manifests of its own and an address to ask it at."""
import contextlib
import signal
import time
import urllib.error
import urllib.request

from ..failure import Failure
from ..ports import free_port

PATIENCE_S = 30


class ProbedInstance:
    """Subclasses write its manifests, into a folder that does not exist yet."""

    def __init__(self, subject, folder):
        self._subject = subject
        self._folder = folder
        self._probe = free_port()
        self._started = None

    @property
    def name(self):
        return self._subject.name

    @property
    def pids(self):
        return [self._started.pid]

    def _write(self):
        raise NotImplementedError

    def _flags(self):
        """What else is said to it."""
        return []

    @contextlib.contextmanager
    def running(self):
        self._write()
        scene = self._subject.scene
        command = [*scene.programs.with_libraries(self._subject.binary), "run", "--manifests", self._folder,
                   "--workers", "2", "--probe-address", f"127.0.0.1:{self._probe}",
                   "--admin-address", f"127.0.0.1:{free_port()}", "--log-level", "warning", *self._flags()]
        # SIGINT skips the time that SIGTERM grants to load balancers.
        self._started = scene.processes.start(self._subject.name, command, ended_by=signal.SIGINT)
        try:
            self.wait("is not ready", self._is_ready)
            yield self
        finally:
            scene.processes.end(self._started)

    def counted(self, series, *labels):
        """The sum of a metric's series that have all of the labels, each as NAME="VALUE"."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith(f"{series}{{") and all(label in line for label in labels))

    def wait(self, complaint, condition):
        deadline = time.monotonic() + PATIENCE_S
        while not condition():
            self._started.check()
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} {complaint} after {PATIENCE_S} s:\n{self._started.log_end()}")
            time.sleep(0.05)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}/readyz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
