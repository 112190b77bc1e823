"""Sluice with a backend of many endpoints, all checked. Each is an address of 127.0.0.0/8; one echo answers for all."""
import contextlib
import dataclasses
import ipaddress
import shutil

from ..failure import Failure
from ..ports import free_port
from .probed import ProbedInstance
from .subject import CONFIGURATIONS, render

OF_A_SLICE = 1000
FIRST = int(ipaddress.ip_address("127.1.0.1"))
# Longer than any check takes: none ends because the machine is busy.
TIMEOUT_S = 8
CHECKS = "sluice_backend_health_checks_total"


@dataclasses.dataclass(frozen=True)
class Kind:
    said: str
    conversation: str | None = None  # the file with what is said, in configs/checks; none: it is enough to connect
    tls: bool = False


KINDS = {
    "connect": Kind("connect only"),
    "send": Kind("send and expect", "send.yaml"),
    "steps": Kind("five steps, one a regular expression", "steps.yaml"),
    "tls": Kind("TLS handshake", tls=True),
}


class CheckedInstance(ProbedInstance):
    def __init__(self, subject, kind, endpoints, interval):
        super().__init__(subject, subject.folder / "checked")
        self._kind, self._interval = KINDS[kind], interval
        self.endpoints = endpoints
        self.port = None

    @contextlib.contextmanager
    def checking(self):
        """The instance, once every endpoint has passed."""
        scene = self._subject.scene
        tls = ["--cert", scene.certificates.backend, "--key", scene.certificates.backend_key] if self._kind.tls else []
        # Any address of this machine's own network is taken, and none from elsewhere.
        server, self.port = scene.load.serve("checked", "echo", *tls, host="0.0.0.0")
        try:
            with self.running():
                if not self.counted(CHECKS):
                    raise Failure(f"{self.name} does not check the endpoints of this measure")
                self.wait("has not checked every endpoint",
                          lambda: self.counted("sluice_backend_endpoints", 'state="healthy"') == self.endpoints)
                yield self
        finally:
            scene.processes.end(server)

    def passed(self):
        return self.counted(CHECKS, 'result="success"')

    def failed(self):
        return self.counted(CHECKS, 'result="failure"')

    def _write(self):
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir()
        said = self._kind.conversation
        (self._folder / "gateway.yaml").write_text(render("checks/gateway.yaml", {
            "listener": free_port(), "interval": self._interval, "timeout": TIMEOUT_S,
            "conversation": (CONFIGURATIONS / "checks" / said).read_text() if said else ""}))
        for start in range(0, self.endpoints, OF_A_SLICE):
            addresses = (ipaddress.ip_address(FIRST + index) for index in range(start, min(start + OF_A_SLICE, self.endpoints)))
            lines = "\n".join(f"  - {{addresses: [{address}], conditions: {{ready: true}}}}" for address in addresses)
            name = f"checked-{start // OF_A_SLICE}"
            text = render("checks/slice.yaml", {"name": name, "port": self.port, "lines": lines})
            (self._folder / f"{name}.yaml").write_text(text)
        if self._kind.tls:
            self._write_tls()

    def _write_tls(self):
        shutil.copy(CONFIGURATIONS / "checks/tls.yaml", self._folder / "tls.yaml")
        authority = self._folder / "secrets/bench/authority"
        authority.mkdir(parents=True)
        shutil.copy(self._subject.scene.certificates.authority, authority / "ca.crt")
