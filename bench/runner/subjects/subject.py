"""What every measured proxy has in common."""
import contextlib
import pathlib
import string
import time
import typing

from ..failure import Failure
from ..load import Target

CONFIGURATIONS = pathlib.Path(__file__).resolve().parent.parent.parent / "configs"

# What a client may ask for, and the server name it asks with where that is over TLS. Behind the arrow, the backend.
SERVICES = {
    "bulk": None,  # plain → source
    "echo": None,  # plain → echo
    "echo-large": None,  # plain → echo, for messages of 16 KiB
    "herd": None,  # plain → echo, for thousands at once: with a queue that holds them
    "aside": None,  # plain → another process like echo: who waits there waits for the proxy, not for the backend
    "upload": None,  # plain → discard
    "transfer": None,  # plain → transfer
    "passthrough-echo": "passthrough-echo.bench.test",  # by SNI → echo, which sends back the ClientHello
    "tls-passthrough": "passthrough.bench.test",  # by SNI → transfer-tls
    "tls-terminate": "terminate.bench.test",  # terminated → transfer
    "tls-reencrypt": "reencrypt.bench.test",  # terminated, encrypted anew and verified → transfer-tls
    "tls-echo": "echo.bench.test",  # terminated → echo
    "tls-echo-rsa": "rsa.bench.test",  # terminated with an RSA-2048 certificate (all others: ECDSA P-256) → echo
    "tls-bulk": "bulk.bench.test",  # terminated → source
    "tls-upload": "upload.bench.test",  # terminated → discard
    "tls-rebulk": "rebulk.bench.test",  # terminated, encrypted anew and verified → source-tls
}

# Services whose clients speak no TLS themselves though they have a server name.
HELLO_ONLY = ("passthrough-echo",)


def render(template, values):
    """A configuration from its template; $NAME stands for a value, dashes written as underscores."""
    names = {name.replace("-", "_"): value for name, value in values.items()}
    return string.Template((CONFIGURATIONS / template).read_text()).substitute(names)


class Version(typing.NamedTuple):
    release: str
    tls: str  # the library, with its version


class Subject:
    """A proxy that can be started any number of times. Subclasses say how; `folder` is theirs alone."""

    name: str
    is_sluice = False
    cuts_tls = False  # ends TLS without close_notify, which clients have to bear with
    configurations: list = []  # the committed files, relative to bench/configs

    def __init__(self, scene, folder):
        self.scene = scene
        self.folder = folder
        folder.mkdir()

    def version(self):
        """The Version; raises where the subject is not installed."""
        raise NotImplementedError

    def start(self):
        """Starts an instance with ports of its own; returns (started processes, ports by service or use)."""
        raise NotImplementedError

    def values(self, ports):
        """What every configuration refers to: ports by service, ports of backends, and the folder of the certificates."""
        backends = {f"{name}-backend": port for name, port in self.scene.backends.ports.items()}
        return {**ports, **backends, "certificates": self.scene.certificates.folder}

    def write(self, template, values):
        """A configuration, filled in, under this subject's folder; returns its path."""
        # Several instances may run at a time.
        path = self.folder / f"{values['echo']}-{template}"
        path.write_text(render(template, values))
        return path

    def is_ready(self, running):
        """Whether the proxy says that it serves."""
        return True

    @contextlib.contextmanager
    def running(self):
        """A fresh instance that serves, ended with the context."""
        processes, ports = self.start()
        running = Running(self, processes, ports, self.scene.certificates.authority)
        try:
            self._wait_until_ready(running)
            yield running
        finally:
            for started in processes:
                self.scene.processes.end(started)

    def _wait_until_ready(self, running, patience=10):
        deadline = time.monotonic() + patience
        while not self.is_ready(running):
            running.check()
            if time.monotonic() > deadline:
                raise Failure(f"{self.name} is not ready after {patience} s:\n{running.log_end()}")
            time.sleep(0.02)
        # Ready says that it listens; one echo by each way says that it routes.
        for service in "echo", "tls-echo":
            if service in running.ports:
                self.scene.load.run(self.name, "connect", running.target(service))


class Running:
    """An instance of a subject."""

    def __init__(self, subject, processes, ports, authority):
        self.subject = subject
        self.processes = processes
        self.ports = ports
        self._authority = authority

    @property
    def name(self):
        return self.subject.name

    @property
    def pids(self):
        """The proxy's processes (their children, the workers, are found from them); none where the way is direct."""
        return [started.pid for started in self.processes]

    @property
    def pid(self):
        """The proxy's first process, or None where the way is direct."""
        return self.pids[0] if self.processes else None

    def check(self):
        """Raises when one of the processes has ended."""
        for started in self.processes:
            started.check()

    def log_end(self):
        return "\n".join(started.log_end() for started in self.processes)

    def target(self, service):
        server_name = SERVICES[service]
        return Target(self.ports[service], server_name,
                      self._authority if server_name and service not in HELLO_ONLY else None)
