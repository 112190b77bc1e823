"""The backends that every proxy leads to, for the whole run."""
from .load import Client


class Backends:
    def __init__(self, load, processes, certificates):
        self._load = load
        self._processes = processes
        tls = ["--cert", certificates.backend, "--key", certificates.backend_key]
        self._modes = {
            "source": ["source"],
            "source-tls": ["source", *tls],
            "discard": ["discard"],
            "echo": ["echo"],
            "aside": ["echo"],
            "greet-a": ["greet", "--name", "a"],
            "greet-b": ["greet", "--name", "b"],
            "transfer": ["transfer"],
            "transfer-tls": ["transfer", *tls],
        }
        self._started = {}
        self.ports = {}
        for name, mode in self._modes.items():
            self._started[name], self.ports[name] = load.serve(name, *mode)

    def answers_of(self, name):
        """What a backend prints: transfer servers say what came of each transfer."""
        return Client(self._started[name])

    def restart(self, name):
        """A backend in its first state, on the same port: after a failure it may have ended, or wait for more."""
        self._processes.end(self._started[name])
        self._started[name], _ = self._load.serve(name, *self._modes[name], port=self.ports[name])
