"""No proxy: what the load generator and its backends reach by themselves."""
from .subject import Subject, Version


class Direct(Subject):
    name = "direct"

    def version(self):
        return Version("no proxy in between", "no TLS")

    def start(self):
        backends = self.scene.backends.ports
        return [], {
            "bulk": backends["source"],
            "echo": backends["echo"],
            "echo-large": backends["echo"],
            "herd": backends["echo"],
            "aside": backends["aside"],
            "upload": backends["discard"],
            "transfer": backends["transfer"],
            "passthrough-echo": backends["echo"],
            "tls-passthrough": backends["transfer-tls"],
        }
