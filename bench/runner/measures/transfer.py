"""Whole contents by every way through a proxy: both directions at once, half-closed, hashed at both ends. Asserted."""
from ..failure import Failure
from .measure import CpuClock, Figure, Measure

# Each way, the service that the client asks for, and the backend at its end.
WAYS = {
    "plain": ("transfer", "transfer"),
    "passthrough": ("tls-passthrough", "transfer-tls"),
    "terminate": ("tls-terminate", "transfer"),
    "re-encrypt": ("tls-reencrypt", "transfer-tls"),
}

# Peers move less: the check is of sluice, and for the cost per GB less is enough.
PEER_SHARE = 8

# Seconds for one transfer; 1 GiB takes two on an idle machine.
PATIENCE_S = 100


class Transfer(Measure):
    name = "transfer"
    rounds = 1
    figures = [Figure(f"transfer_cpu_{way}", f"transfer both ways, {way}, same SHA-256: CPU s/GB", 2) for way in WAYS]

    def sample(self, running):
        return {f"transfer_cpu_{way}": self._transfer(running, way)
                for way, (service, _) in WAYS.items() if service in running.ports}

    def _transfer(self, running, way):
        service, backend = WAYS[way]
        size = self.scene.transfer_bytes // (1 if running.subject.is_sluice else PEER_SHARE)
        try:
            with CpuClock(running) as cpu:
                verified_transfer(self.scene.load, running.name, running.target(service), size,
                                  self.scene.backends.answers_of(backend))
        except Failure as failure:
            self.scene.backends.restart(backend)
            raise Failure(f"{way}: {failure}") from None
        return cpu.per(2 * size / 1e9)


def verified_transfer(load, name, target, size, server):
    """Transfers `size` bytes each way; raises unless both ends saw the same."""
    client = load.run(name, "transfer", target, "--bytes", size, "--deadline", PATIENCE_S)
    _compare(client, server.answer(), size)


def _compare(client, server, size):
    for sender, receiver, direction in (client, server, "to the backend"), (server, client, "to the client"):
        if sender["sent"] != size or receiver["received"] != size:
            raise Failure(f"{receiver['received']} of {size} bytes arrived {direction}")
        if sender["sent_sha256"] != receiver["received_sha256"]:
            raise Failure(f"the bytes that arrived {direction} have another SHA-256")
