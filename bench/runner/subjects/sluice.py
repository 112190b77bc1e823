"""Sluice, from a folder of manifests."""
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from ..failure import Failure
from ..ports import free_port
from .subject import Subject, render

TCP_SERVICES = ["bulk", "echo", "transfer", "switch"]
TLS_SERVICES = ["tls-passthrough", "tls-terminate", "tls-reencrypt", "tls-echo"]

# Two services lead to one backend: only one of them is verified by a BackendTLSPolicy.
BACKEND_OF_SERVICE = {"transfer-verified": "transfer-tls"}


class Sluice(Subject):
    def __init__(self, scene, folder, binary, name="sluice"):
        self.name = name
        self.binary = binary
        super().__init__(scene, folder)

    def version(self):
        try:
            outcome = subprocess.run([self.binary, "version"], capture_output=True, text=True)
        except OSError as error:
            raise Failure(f"{self.binary}: {error.strerror}; build it (make build) or say --sluice PATH") from None
        if outcome.returncode:
            raise Failure(f"{self.binary} version ended with {outcome.returncode}: {outcome.stderr.strip()}")
        return ", ".join(outcome.stdout.split("\n")).strip(", ")

    def start(self):
        # All TLS modes share one port and are told apart by name.
        ports = {service: free_port() for service in TCP_SERVICES}
        ports |= dict.fromkeys(TLS_SERVICES, free_port())
        self.probe_port = free_port()
        self.manifests = self.folder / f"manifests-{ports['echo']}"
        self._write_manifests(ports)
        command = [self.binary, "run", "--manifests", self.manifests, "--workers", "2",
                   "--probe-address", f"127.0.0.1:{self.probe_port}",
                   "--admin-address", f"127.0.0.1:{free_port()}", "--log-level", "warning"]
        # SIGINT skips the time that SIGTERM grants to load balancers.
        return self.scene.processes.start(self.name, command, ended_by=signal.SIGINT), ports

    def _write_manifests(self, ports):
        self.manifests.mkdir()
        values = {**ports, "tls": ports["tls-echo"]}
        (self.manifests / "gateway.yaml").write_text(render("sluice/gateway.yaml", values))
        backends = self.scene.backends.ports
        for service in [*backends, *BACKEND_OF_SERVICE]:
            port = backends[BACKEND_OF_SERVICE.get(service, service)]
            text = render("sluice/service.yaml", {"name": service, "port": port})
            (self.manifests / f"service-{service}.yaml").write_text(text)
        certificates = self.scene.certificates
        self._write_secret("frontend", {"tls.crt": certificates.frontend, "tls.key": certificates.frontend_key})
        self._write_secret("authority", {"ca.crt": certificates.authority})
        self.point_switch_to("greet-a")

    def _write_secret(self, name, files):
        folder = self.manifests / "secrets" / "bench" / name
        folder.mkdir(parents=True)
        for entry, source in files.items():
            shutil.copy(source, folder / entry)

    def point_switch_to(self, backend):
        """Moves one route, by rename, as a careful user or a volume mount would."""
        draft = self.manifests / ".switch.yaml"
        draft.write_text(render("sluice/switch.yaml", {"backend": backend}))
        os.rename(draft, self.manifests / "switch.yaml")

    def is_ready(self, running):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.probe_port}/readyz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False
