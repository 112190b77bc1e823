"""Sluice with thousands of routes, each with a backend of its own, of which some have carried traffic."""
import shutil
import socket
import string
import urllib.request

from ..failure import Failure
from ..hello import client_hello
from ..load import Target
from ..ports import free_port
from .names.named import host_name
from .probed import ProbedInstance
from .subject import CONFIGURATIONS, render


class ScrapedInstance(ProbedInstance):
    def __init__(self, subject, routes):
        super().__init__(subject, subject.folder / "scraped")
        self.routes = routes
        self._port, self._aside = free_port(), free_port()
        self._used = 0

    @property
    def aside(self):
        return Target(self._aside)

    def use(self, count):
        """One connection, with an echo, by each of the first names that none has used."""
        for index in range(self._used, count):
            hello = client_hello(host_name(index))
            with socket.create_connection(("127.0.0.1", self._port), timeout=5) as connection:
                connection.sendall(hello)
                if connection.recv(len(hello), socket.MSG_WAITALL) != hello:
                    raise Failure(f"{self.name}: {host_name(index)} does not lead to the echo")
        self._used = max(self._used, count)
        self.wait("has not counted every connection",
                  lambda: self.counted("sluice_tcp_connections_closed_total", 'listener="names"') == self._used)

    def scrape(self):
        """The length of what /metrics says, in bytes."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self._probe}/metrics", timeout=30) as answer:
            return len(answer.read())

    def _write(self):
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        text = render("scrape/gateway.yaml", {"port": self._port, "aside": self._aside})
        (self._folder / "gateway.yaml").write_text(text)
        ports = self._subject.scene.backends.ports
        templates = "names/route.yaml", "sluice/service.yaml"
        route, service = (string.Template((CONFIGURATIONS / name).read_text()) for name in templates)
        (self._folder / "aside.yaml").write_text(service.substitute(name="aside", port=ports["aside"]))
        for index in range(self.routes):
            name = f"n{index}"
            parts = (route.substitute(name=name, hostname=host_name(index), service=name),
                     service.substitute(name=name, port=ports["echo"]))
            (self._folder / f"{name}.yaml").write_text("---\n".join(parts))
