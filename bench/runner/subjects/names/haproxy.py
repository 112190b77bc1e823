"""HAProxy: a map from names to backends, and a backend for each name."""
import signal
import socket

from ...failure import Failure
from ..subject import render
from .named import NamedSubject, drafted, host_name

BACKEND = "backend b{0}\n    server only 127.0.0.1:{1}\n"


class NamedHAProxy(NamedSubject):
    def __init__(self, subject):
        super().__init__(subject)
        # Those of the admin socket first: a reload forgets what they did.
        self.ways = {"_map": self._by_map, "_server": self._by_server, "": self._by_reload}

    def write(self, named):
        named.targets = {index: f"b{index}" for index in range(named.count)}
        self._draft_map(named)()
        (named.folder / "haproxy.cfg").write_text(render("names/haproxy.cfg", {
            "port": named.port, "admin": named.admin, "map": _map(named),
            "greet-a": self.backends["greet-a"], "greet-b": self.backends["greet-b"],
            "backends": "".join(BACKEND.format(index, self.backends["echo"]) for index in range(named.count)),
        }))
        # Only who reloads has a master process, so that the others need not pay for it.
        mode = ["-W", "-db"] if named.changes else ["-db"]
        return [*self.scene.programs.command("haproxy"), *mode, "-f", named.folder / "haproxy.cfg"]

    def _draft_map(self, named):
        lines = (f"{host_name(index)} {target}\n" for index, target in named.targets.items())
        return drafted(_map(named), "".join(lines))

    def _by_reload(self, named, index, backend):
        named.targets[index] = backend
        move = self._draft_map(named)

        def hand_over():
            move()
            named.started.process.send_signal(signal.SIGUSR2)
        return hand_over

    def _by_map(self, named, index, backend):
        return lambda: _say(named, f"set map {_map(named)} {host_name(index)} {backend}")

    def _by_server(self, named, index, backend):
        return lambda: _say(named, f"set server b{index}/only addr 127.0.0.1 port {self.backends[backend]}")


def _map(named):
    return named.folder / "names.map"


def _say(named, command):
    with socket.create_connection(("127.0.0.1", named.admin), timeout=5) as admin:
        admin.sendall(command.encode() + b"\n")
        answer = admin.makefile().read().strip()
    # It is silent about a map, and tells of a server what it changed.
    if answer and "changed from" not in answer:
        raise Failure(f"haproxy, {command}: {answer}")
