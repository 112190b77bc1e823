"""HAProxy from the distribution."""
import re
import socket
import subprocess

from ..failure import Failure
from ..ports import free_port
from .subject import SERVICES, Subject, render


class HAProxy(Subject):
    name = "haproxy"

    def version(self):
        try:
            text = subprocess.run(["haproxy", "-vv"], capture_output=True, text=True, check=True).stdout
        except FileNotFoundError:
            raise Failure("haproxy is not installed: scripts/setup test") from None
        release = re.search(r"HAProxy version (\S+)", text)
        library = re.search(r"Running on OpenSSL version : (.*)", text)
        return f"HAProxy {release[1] if release else '?'}, {library[1] if library else 'no OpenSSL'}"

    def start(self):
        ports = {service: free_port() for service in SERVICES}
        backends = {f"{name}-backend": port for name, port in self.scene.backends.ports.items()}
        configuration = self.folder / "haproxy.cfg"
        configuration.write_text(render("haproxy.cfg", {
            **ports, **backends, "certificates": self.scene.certificates.folder,
        }))
        # In the foreground, as one process: its accounting is all there is.
        return self.scene.processes.start(self.name, ["haproxy", "-db", "-f", configuration]), ports

    def is_ready(self, running):
        # All sockets are bound before the first is listened on.
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", running.ports["tls-echo"])) == 0
