"""Sluice with a listener for each sort of limit, beside one without."""
import ipaddress

from ..load import Target
from ..ports import free_port
from .probed import ProbedInstance
from .subject import render

LIMITS = ("none", "cidrs", "connections", "sources", "rate")
BLOCKS = 100_000
CONFIG_MAPS = 2  # one holds at most 1 MiB in a cluster


class AdmissionInstance(ProbedInstance):
    """An instance: its processes, and a port for each of LIMITS."""

    def __init__(self, subject, number):
        super().__init__(subject, subject.folder / f"admission-{number}")
        self._ports = {limit: free_port() for limit in LIMITS}

    def target(self, limit):
        return Target(self._ports[limit])

    def _write(self):
        self._folder.mkdir()
        (self._folder / "gateway.yaml").write_text(render("admission/gateway.yaml", self._ports))
        service = {"name": "echo", "port": self._subject.scene.backends.ports["echo"]}
        (self._folder / "service.yaml").write_text(render("sluice/service.yaml", service))
        first, each = int(ipaddress.ip_address("11.0.0.0")), BLOCKS // CONFIG_MAPS
        for number in range(CONFIG_MAPS):
            # Every other address, so that no two blocks make one.
            blocks = (first + 2 * (number * each + index) for index in range(each))
            lines = "\n".join(f"    {ipaddress.ip_address(block)}/32" for block in blocks)
            text = render("admission/blocks.yaml", {"name": f"blocks-{number}", "lines": lines})
            (self._folder / f"blocks-{number}.yaml").write_text(text)
