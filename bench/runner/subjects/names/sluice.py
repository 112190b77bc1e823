"""Sluice: a folder with a file for each name, which holds its TLSRoute, its Service and its EndpointSlice."""
import functools
import json
import signal
import string

from ...ports import free_port
from ..subject import CONFIGURATIONS, render
from .named import NamedSubject, drafted, host_name


class NamedSluice(NamedSubject):
    ended_by = signal.SIGINT  # SIGTERM grants time to load balancers

    def __init__(self, subject):
        super().__init__(subject)
        self.ways = {"": self._by_manifest}

    def write(self, named):
        manifests = named.folder / "manifests"
        manifests.mkdir()
        (manifests / "gateway.yaml").write_text(render("names/gateway.yaml", {"port": named.port}))
        for name in "greet-a", "greet-b":
            (manifests / f"{name}.yaml").write_text(_service(name, self.backends[name]))
        for index in range(named.count):
            (manifests / f"n{index}.yaml").write_text(self._manifest(index, f"n{index}"))
        # What each application of a configuration took is said at this level.
        level = "info" if named.changes else "warning"
        return [*self.scene.programs.with_libraries(self.subject.binary), "run", "--manifests", manifests, "--workers", "2",
                "--probe-address", f"127.0.0.1:{free_port()}", "--admin-address", f"127.0.0.1:{named.admin}",
                "--log-format", "json", "--log-level", level]

    def _manifest(self, index, service):
        route = _template("names/route.yaml").substitute(name=f"n{index}", hostname=host_name(index), service=service)
        return f"{route}---\n{_service(f'n{index}', self.backends['echo'])}"

    def _by_manifest(self, named, index, backend):
        return drafted(named.folder / f"manifests/n{index}.yaml", self._manifest(index, backend))


def _service(name, port):
    return _template("sluice/service.yaml").substitute(name=name, port=port)


@functools.cache
def _template(name):
    return string.Template((CONFIGURATIONS / name).read_text())


def applications_ms(log_lines):
    """From log lines: what it took from each configuration's arrival at the engine until every worker ran it."""
    entries = (json.loads(line) for line in log_lines if line.startswith("{"))
    return [entry["took"] * 1000 for entry in entries if entry["message"] == "configuration applied"]
