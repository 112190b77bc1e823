"""Memory of the proxy's process per idle connection: the difference between holding few and holding many, on an instance
that has done nothing else."""
from ..accounting import settled_memory_kib
from .measure import Figure, Measure

FEW, MANY = 200, 2200


class Idle(Measure):
    name = "idle"
    service = "echo"
    rounds = 2
    fresh = True
    figures = [Figure("idle_kib", f"idle connection, plain ({MANY - FEW} held): KiB", 2)]

    def suits(self, running):
        return running.pid is not None

    def sample(self, running):
        with self.scene.load.client(running.name, "idle", running.target(self.service), "--gated",
                                    "--steps", f"{FEW},{MANY}") as client:
            client.answer()
            few = settled_memory_kib(running.pid)
            client.go_on()
            client.answer()
            many = settled_memory_kib(running.pid)
        return {self.figures[0].key: (many - few) / (MANY - FEW)}


class IdleTLS(Idle):
    name = "idle-tls"
    service = "tls-echo"
    figures = [Figure("idle_tls_kib", f"idle connection, TLS terminated ({MANY - FEW} held): KiB", 2)]
