"""Sluice, from a folder of manifests."""
import hashlib
import os
import re
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from ..certificates import FRONTENDS
from ..failure import Failure
from ..ports import free_port
from .subject import SERVICES, Subject, Version, render

TLS_SERVICES = [service for service, server_name in SERVICES.items() if server_name]
TCP_SERVICES = [*(service for service in SERVICES if service not in TLS_SERVICES), "switch"]

# Two services lead to one backend: only one of them is verified by a BackendTLSPolicy.
BACKEND_OF_SERVICE = {"transfer-verified": "transfer-tls", "source-verified": "source-tls"}


class Sluice(Subject):
    is_sluice = True
    configurations = ["sluice/gateway.yaml", "sluice/service.yaml", "sluice/switch.yaml",
                      "names/gateway.yaml", "names/route.yaml", "limited/sluice.yaml", "limited/policy.yaml",
                      "admission/gateway.yaml", "admission/blocks.yaml", "observability/gateway.yaml",
                      "checks/gateway.yaml", "checks/slice.yaml", "checks/send.yaml", "checks/steps.yaml", "checks/tls.yaml"]

    def __init__(self, scene, folder, binary, name="sluice"):
        self.name = name
        self.binary = binary
        super().__init__(scene, folder)

    def version(self):
        try:
            command = [*self.scene.programs.with_libraries(self.binary), "version"]
            outcome = subprocess.run(command, capture_output=True, text=True)
        except OSError as error:
            raise Failure(f"{self.binary}: {error.strerror}; build it (make build) or say --sluice PATH") from None
        if outcome.returncode:
            raise Failure(f"{self.binary} version ended with {outcome.returncode}: {outcome.stderr.strip()}")
        # Two builds may carry one version: the digest tells them apart.
        digest = hashlib.sha256(self.binary.read_bytes()).hexdigest()[:12]
        found = re.match(r"(.*), (OpenSSL [^)]*)\)", outcome.stdout)
        release, library = (f"{found[1]})", found[2]) if found else (outcome.stdout.strip(), "unknown TLS library")
        return Version(f"{release}, binary {digest}", library)

    def start(self):
        # All TLS modes share one port and are told apart by name.
        ports = {service: free_port() for service in TCP_SERVICES}
        ports |= dict.fromkeys(TLS_SERVICES, free_port()) | {"probe": free_port(), "admin": free_port()}
        manifests = self._manifests(ports)
        self._write_manifests(manifests, ports)
        command = [*self.scene.programs.with_libraries(self.binary), "run", "--manifests", manifests, "--workers", "2",
                   "--probe-address", f"127.0.0.1:{ports['probe']}",
                   "--admin-address", f"127.0.0.1:{ports['admin']}", "--log-level", "warning"]
        # SIGINT skips the time that SIGTERM grants to load balancers.
        return [self.scene.processes.start(self.name, command, ended_by=signal.SIGINT)], ports

    def _manifests(self, ports):
        """The folder of the instance with these ports: several may run at a time."""
        return self.folder / f"manifests-{ports['echo']}"

    def _write_manifests(self, manifests, ports):
        manifests.mkdir()
        values = {**ports, "tls": ports["tls-echo"]}
        (manifests / "gateway.yaml").write_text(render("sluice/gateway.yaml", values))
        backends = self.scene.backends.ports
        for service in [*backends, *BACKEND_OF_SERVICE]:
            port = backends[BACKEND_OF_SERVICE.get(service, service)]
            text = render("sluice/service.yaml", {"name": service, "port": port})
            (manifests / f"service-{service}.yaml").write_text(text)
        self._write_secrets(manifests / "secrets/bench")
        _point_switch_to(manifests, "greet-a")

    def _write_secrets(self, secrets):
        made = self.scene.certificates.folder
        contents = {name: {"tls.crt": made / f"{name}.crt", "tls.key": made / f"{name}.key"} for name in FRONTENDS}
        contents["authority"] = {"ca.crt": self.scene.certificates.authority}
        for name, files in contents.items():
            (secrets / name).mkdir(parents=True)
            for entry, source in files.items():
                shutil.copy(source, secrets / name / entry)

    def point_switch_to(self, running, backend):
        """Moves one route of a running instance to another backend."""
        _point_switch_to(self._manifests(running.ports), backend)

    def is_ready(self, running):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{running.ports['probe']}/readyz", timeout=1) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False


def _point_switch_to(manifests, backend):
    """By rename, as a careful user or a volume mount would."""
    draft = manifests / ".switch.yaml"
    draft.write_text(render("sluice/switch.yaml", {"backend": backend}))
    os.rename(draft, manifests / "switch.yaml")
