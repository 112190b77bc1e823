"""A gateway under trial."""
import json
import os
import signal
import time
import urllib.error
import urllib.request

from .bench import Failure, free_port
from .census import census
from .metrics import Metrics


class Gateway:
    """A running `sluice run --manifests` with an access log in JSON in `log` and its own log in `journal`."""

    def __init__(self, processes, folder, binary, manifests, *flags, name="sluice"):
        self.probe, self.admin = free_port(), free_port()
        self.log = folder / f"{name}-access.log"
        command = [binary, "run", "--manifests", manifests, "--probe-address", f"127.0.0.1:{self.probe}",
                   "--admin-address", f"127.0.0.1:{self.admin}", "--access-log", self.log, "--log-format", "json", *flags]
        # SIGINT skips the time that SIGTERM grants to load balancers.
        self.started = processes.start(name, command, ended_by=signal.SIGINT)
        self.journal = self.started.log

    @property
    def pid(self):
        return self.started.pid

    def wait_until_ready(self, patience=20):
        deadline = time.monotonic() + patience
        while True:
            self.started.check()
            try:
                self.get(self.probe, "/readyz")
                return
            except OSError as error:
                if time.monotonic() > deadline:
                    raise Failure(f"sluice is not ready after {patience} s ({error}):\n{self.started.log_end()}") from None
            time.sleep(0.05)

    def get(self, port, path, timeout=20):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=timeout) as answer:
            return answer.read().decode()

    def metrics(self):
        return Metrics(self.get(self.probe, "/metrics"))

    def ask(self, path):
        """What the admin address answers, as a value."""
        return json.loads(self.get(self.admin, path))

    def census(self):
        return census(self.pid)

    def hang_up(self):
        """Makes it open its access log again."""
        os.kill(self.pid, signal.SIGHUP)
