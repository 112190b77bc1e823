"""Sluice with a listener for each sort of limit, beside one without."""
import contextlib
import ipaddress
import signal
import time
import urllib.error
import urllib.request

from ..failure import Failure
from ..load import Target
from ..ports import free_port
from .subject import render

LIMITS = ("none", "cidrs", "connections", "sources", "rate")
BLOCKS = 100_000
CONFIG_MAPS = 2  # one holds at most 1 MiB in a cluster
PATIENCE_S = 30


class AdmissionInstance:
    """An instance: its processes, and a port for each of LIMITS."""

    def __init__(self, subject, number):
        self._subject = subject
        self._folder = subject.folder / f"admission-{number}"
        self._ports = {limit: free_port() for limit in LIMITS}
        self._probe = free_port()
        self._started = None

    @property
    def name(self):
        return self._subject.name

    @property
    def pids(self):
        return [self._started.pid]

    def target(self, limit):
        return Target(self._ports[limit])

    @contextlib.contextmanager
    def running(self):
        self._write()
        scene = self._subject.scene
        command = [*scene.programs.with_libraries(self._subject.binary), "run", "--manifests", self._folder,
                   "--workers", "2", "--probe-address", f"127.0.0.1:{self._probe}",
                   "--admin-address", f"127.0.0.1:{free_port()}", "--log-level", "warning"]
        # SIGINT skips the time that SIGTERM grants to load balancers.
        self._started = scene.processes.start(self._subject.name, command, ended_by=signal.SIGINT)
        try:
            self._wait()
            yield self
        finally:
            scene.processes.end(self._started)

    def counted(self, series):
        """The sum of a metric's series: whether the limits are there at all."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}/metrics", timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{series}{{"))

    def _write(self):
        self._folder.mkdir()
        (self._folder / "gateway.yaml").write_text(render("admission/gateway.yaml", self._ports))
        service = {"name": "echo", "port": self._subject.scene.backends.ports["echo"]}
        (self._folder / "service.yaml").write_text(render("sluice/service.yaml", service))
        first, each = int(ipaddress.ip_address("11.0.0.0")), BLOCKS // CONFIG_MAPS
        for number in range(CONFIG_MAPS):
            # Every other address, so that no two blocks make one.
            blocks = (first + 2 * (number * each + index) for index in range(each))
            lines = "\n".join(f"    {ipaddress.ip_address(block)}/32" for block in blocks)
            text = render("admission/blocks.yaml", {"name": f"blocks-{number}", "lines": lines})
            (self._folder / f"blocks-{number}.yaml").write_text(text)

    def _wait(self):
        deadline = time.monotonic() + PATIENCE_S
        while not self._is_ready():
            self._started.check()
            if time.monotonic() > deadline:
                raise Failure(f"{self._subject.name} is not ready after {PATIENCE_S} s:\n{self._started.log_end()}")
            time.sleep(0.05)

    def _is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}/readyz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
