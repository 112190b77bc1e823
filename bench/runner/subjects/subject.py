"""What every measured proxy has in common."""
import contextlib
import pathlib
import string
import time

from ..failure import Failure
from ..load import Target

CONFIGURATIONS = pathlib.Path(__file__).resolve().parent.parent.parent / "configs"

# What a client may ask for, and the server name it asks with where that is over TLS.
SERVICES = {
    "bulk": None,
    "echo": None,
    "transfer": None,
    "tls-passthrough": "passthrough.bench.test",
    "tls-terminate": "terminate.bench.test",
    "tls-reencrypt": "reencrypt.bench.test",
    "tls-echo": "echo.bench.test",
}


def render(template, values):
    """A configuration from its template; $NAME stands for a value, dashes written as underscores."""
    names = {name.replace("-", "_"): value for name, value in values.items()}
    return string.Template((CONFIGURATIONS / template).read_text()).substitute(names)


class Subject:
    """A proxy that can be started any number of times. Subclasses say how; `folder` is theirs alone."""

    name: str
    is_sluice = False

    def __init__(self, scene, folder):
        self.scene = scene
        self.folder = folder
        folder.mkdir()

    def version(self):
        """One line, with the TLS library."""
        raise NotImplementedError

    def start(self):
        """Starts an instance with ports of its own; returns (started process or None, ports by service or use)."""
        raise NotImplementedError

    def is_ready(self, running):
        """Whether the proxy says that it serves."""
        return True

    @contextlib.contextmanager
    def running(self):
        """A fresh instance that serves, ended with the context."""
        started, ports = self.start()
        running = Running(self, started, ports, self.scene.certificates.authority)
        try:
            self._wait_until_ready(running)
            yield running
        finally:
            if started:
                self.scene.processes.end(started)

    def _wait_until_ready(self, running, patience=10):
        deadline = time.monotonic() + patience
        while not self.is_ready(running):
            if running.started:
                running.started.check()
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} is not ready after {patience} s:\n{running.started.log_end()}")
            time.sleep(0.02)
        # Ready says that it listens; one echo by each way says that it routes.
        for service in "echo", "tls-echo":
            if service in running.ports:
                self.scene.load.run(self.name, "connect", running.target(service))


class Running:
    """An instance of a subject."""

    def __init__(self, subject, started, ports, authority):
        self.subject = subject
        self.started = started
        self.ports = ports
        self._authority = authority

    @property
    def name(self):
        return self.subject.name

    @property
    def pid(self):
        """The proxy's process, or None where the way is direct."""
        return self.started.pid if self.started else None

    def target(self, service):
        server_name = SERVICES[service]
        return Target(self.ports[service], server_name, self._authority if server_name else None)
