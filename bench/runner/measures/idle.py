"""Memory per idle connection: the difference between holding few and holding many, on an instance that has done
nothing else. Of the proxy's process; and, beside it, of the kernel for both ends of the connection, the client and the
backend included, which is much the same for all."""
from ..accounting import kernel_slab_kib, settled_memory_kib
from .measure import Figure, Measure

FEW = 200


def _figures(key, title):
    return [Figure(f"{key}_kib", f"idle connection, {title}: KiB", 2),
            Figure(f"{key}_kernel_kib", f"idle connection, {title}, in the kernel, with client and backend: KiB", 1)]


class Idle(Measure):
    name = "idle"
    service = "echo"
    rounds = 2
    many = 2200
    fresh = True
    figures = _figures("idle", "plain")

    def suits(self, running):
        return self.service in running.ports

    def flags(self, running):
        """More flags for the load generator."""
        return []

    def sample(self, running):
        with self.scene.load.client(running.name, "idle", running.target(self.service), "--gated",
                                    "--steps", f"{FEW},{self.many}", *self.flags(running)) as client:
            client.answer()
            few = self._memory(running)
            client.go_on()
            client.answer()
            many = self._memory(running)
        return {figure.key: None if before is None else (after - before) / (self.many - FEW)
                for figure, before, after in zip(self.figures, few, many)}

    def _memory(self, running):
        return settled_memory_kib(*running.pids) if running.pids else None, kernel_slab_kib()


class IdlePassthrough(Idle):
    name = "idle-passthrough"
    service = "passthrough-echo"
    figures = _figures("idle_passthrough", "TLS passed through, after the ClientHello")

    def flags(self, running):
        return ["--hello", running.target(self.service).server_name]


class IdleTLS(Idle):
    name = "idle-tls"
    service = "tls-echo"
    figures = _figures("idle_tls", "TLS terminated")
