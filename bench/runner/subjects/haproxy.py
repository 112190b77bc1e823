"""HAProxy from the distribution."""
import re
import socket
import subprocess

from ..failure import Failure
from ..ports import free_port
from .subject import SERVICES, Subject, Version

# The buffer size is global, so bulk over TLS has an instance of its own, which is idle in all other measures.
CONFIGURATIONS = ["haproxy.cfg", "haproxy-tls-bulk.cfg"]


class HAProxy(Subject):
    name = "haproxy"
    configurations = [*CONFIGURATIONS, "names/haproxy.cfg"]

    def version(self):
        try:
            command = [*self.scene.programs.command("haproxy"), "-vv"]
            text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        except FileNotFoundError:
            raise Failure("haproxy is not installed: scripts/setup test") from None
        release = re.search(r"HAProxy version (\S+)", text)
        library = re.search(r"Running on OpenSSL version : (.*)", text)
        return Version(f"HAProxy {release[1] if release else '?'}", library[1] if library else "unknown TLS library")

    def start(self):
        ports = {service: free_port() for service in SERVICES}
        values, program = self.values(ports), self.scene.programs.command("haproxy")
        # In the foreground, as one process each: its accounting is all there is.
        return [self.scene.processes.start(self.name, [*program, "-db", "-f", self.write(template, values)])
                for template in CONFIGURATIONS], ports

    def is_ready(self, running):
        # All sockets of an instance are bound before the first is listened on.
        return all(_listens(running.ports[service]) for service in ("tls-echo", "tls-bulk"))


def _listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
