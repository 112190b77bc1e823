"""nginx: a map from names to upstreams, one for each; and, beside it, a map straight to addresses, which gives names no backend
that could have a second endpoint, but is what nginx is lightest with."""
import signal

from ..nginx import MODULE
from ..subject import render
from .named import NamedSubject, drafted, host_name

ADDRESSES = "_addresses"
UPSTREAM = "    upstream {0} {{ server 127.0.0.1:{1}; }}\n"


class NamedNginx(NamedSubject):
    forms = ("", ADDRESSES)

    def __init__(self, subject):
        super().__init__(subject)
        self.ways = {"": self._by_reload}

    def write(self, named):
        named.targets = {index: self._target(named, f"u{index}", "echo") for index in range(named.count)}
        self._draft(named)()
        return [*self.scene.programs.command("nginx"), "-p", named.folder, "-e", "stderr", "-c", named.folder / "nginx.conf"]

    def _target(self, named, upstream, backend):
        return f"127.0.0.1:{self.backends[backend]}" if named.form == ADDRESSES else upstream

    def _upstreams(self, named):
        if named.form == ADDRESSES:
            return ""
        echoes = [UPSTREAM.format(f"u{index}", self.backends["echo"]) for index in range(named.count)]
        return "".join([UPSTREAM.format(name, self.backends[name]) for name in ("greet-a", "greet-b")] + echoes)

    def _draft(self, named):
        module = self.scene.programs.file(MODULE)
        return drafted(named.folder / "nginx.conf", render("names/nginx.conf", {
            "port": named.port, "folder": named.folder, "upstreams": self._upstreams(named),
            "routes": "".join(f"        {host_name(index)} {target};\n" for index, target in named.targets.items()),
            "load-module": f"load_module {module};" if module.exists() else "",
        }))

    def _by_reload(self, named, index, backend):
        named.targets[index] = self._target(named, backend, backend)
        move = self._draft(named)

        def hand_over():
            move()
            named.started.process.send_signal(signal.SIGHUP)
        return hand_over
