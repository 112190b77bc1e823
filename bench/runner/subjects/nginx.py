"""nginx with its stream module, from the distribution."""
import pathlib
import re
import socket
import subprocess

from ..failure import Failure
from ..ports import free_port
from .subject import SERVICES, Subject, Version

# Where the distributions put the stream module when it is not built in.
MODULE = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")

# Why: see its configuration.
UNSUITED = ("tls-terminate", "tls-reencrypt")


class Nginx(Subject):
    name = "nginx"
    cuts_tls = True
    configurations = ["nginx.conf", "names/nginx.conf", "limited/nginx.conf"]

    def version(self):
        try:
            outcome = subprocess.run([*self.scene.programs.command("nginx"), "-V"], capture_output=True, text=True, check=True)
        except FileNotFoundError:
            raise Failure("nginx is not installed: scripts/setup test") from None
        release = re.search(r"nginx version: nginx/(\S+)", outcome.stderr)
        library = re.search(r"(?:.*running|built) with (OpenSSL [^\n)]*)", outcome.stderr)
        return Version(f"nginx {release[1] if release else '?'}", library[1] if library else "unknown TLS library")

    def start(self):
        ports = {service: free_port() for service in SERVICES if service not in UNSUITED}
        module = self.scene.programs.file(MODULE)
        configuration = self.write("nginx.conf", {
            **self.values(ports), "folder": self.folder,
            "load-module": f"load_module {module};" if module.exists() else "",
        })
        command = [*self.scene.programs.command("nginx"), "-p", self.folder, "-e", "stderr", "-c", configuration]
        return [self.scene.processes.start(self.name, command)], ports

    def is_ready(self, running):
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", running.ports["tls-echo"])) == 0
