"""No proxy: what the load generator and its backends reach by themselves."""
from .subject import Subject


class Direct(Subject):
    name = "direct"

    def version(self):
        return "no proxy in between"

    def start(self):
        backends = self.scene.backends.ports
        return None, {
            "bulk": backends["source"],
            "echo": backends["echo"],
            "transfer": backends["transfer"],
            "tls-passthrough": backends["transfer-tls"],
        }
