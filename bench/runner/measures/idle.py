"""Memory of the proxy's process per idle connection: the difference between holding few and holding many, on an instance
that has done nothing else."""
from ..accounting import settled_memory_kib
from .measure import Figure, Measure

FEW = 200


class Idle(Measure):
    name = "idle"
    service = "echo"
    rounds = 2
    many = 2200
    fresh = True
    figures = [Figure("idle_kib", "idle connection, plain: KiB", 2)]

    def suits(self, running):
        return running.pid is not None

    def sample(self, running):
        with self.scene.load.client(running.name, "idle", running.target(self.service), "--gated",
                                    "--steps", f"{FEW},{self.many}") as client:
            client.answer()
            few = settled_memory_kib(*running.pids)
            client.go_on()
            client.answer()
            many = settled_memory_kib(*running.pids)
        return {self.figures[0].key: (many - few) / (self.many - FEW)}


class IdleTLS(Idle):
    name = "idle-tls"
    service = "tls-echo"
    figures = [Figure("idle_tls_kib", "idle connection, TLS terminated: KiB", 2)]
