"""Sluice with an API server as its source."""
import json
import pathlib
import signal
import time
import urllib.error
import urllib.request

from ..failure import Failure
from ..ports import free_port

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: bench
contexts: [{{name: bench, context: {{cluster: bench, user: bench, namespace: sluice-system}}}}]
clusters: [{{name: bench, cluster: {{server: "{url}"}}}}]
users: [{{name: bench, user: {{token: {token}}}}}]
"""


class Gateway:
    """One running instance."""

    def __init__(self, processes, binary, cluster, token, folder, flags=()):
        kubeconfig = folder / "kubeconfig"
        kubeconfig.write_text(KUBECONFIG.format(url=cluster.url, token=token))
        self._probe = free_port()
        command = [
            binary, "run", "--kubeconfig", kubeconfig, "--workers", "2", "--log-level", "warning",
            "--probe-address", f"127.0.0.1:{self._probe}", "--admin-address", f"127.0.0.1:{free_port()}",
            *flags,
        ]
        self.begin = time.perf_counter()
        self.started = processes.start("sluice", command, ended_by=signal.SIGINT)

    def wait_ready(self, patience=120):
        """Seconds from the start of the process until /readyz says yes."""
        while True:
            self.started.check()
            taken = time.perf_counter() - self.begin
            if self._answers("/readyz"):
                return taken
            if taken > patience:
                raise Failure(f"sluice is not ready after {patience} s:\n{self.started.log_end()}")
            time.sleep(0.005)

    def _answers(self, path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}{path}", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def metric(self, name):
        """The sum of a metric's samples."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name)


def memory_kib(pid):
    """Resident set size, and the largest it has been."""
    fields = dict(
        line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return {name: int(fields[field].split()[0]) for name, field in (("now", "VmRSS"), ("peak", "VmHWM"))}


def dump(value):
    return json.dumps(value, indent=2)
