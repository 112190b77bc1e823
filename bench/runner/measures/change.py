"""Time from a changed manifest to traffic that follows it."""
import random
import socket
import statistics
import time

from ..failure import Failure
from .measure import Figure, Measure

CHANGES = 50
POLL_S = 0.0002
PATIENCE_S = 5


def _who_answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
            return connection.recv(16).decode()
    except OSError as error:
        raise Failure(f"a connection failed while its route changed: {error}") from None


class Change(Measure):
    name = "change"
    rounds = 1
    figures = [
        Figure("change_ms", f"changed manifest to traffic: ms (median of {CHANGES})", 1),
        Figure("change_max_ms", f"changed manifest to traffic: ms (worst of {CHANGES})", 1),
    ]

    def suits(self, running):
        return "switch" in running.ports

    def sample(self, running):
        taken = []
        for turn in range(CHANGES):
            taken.append(self._change(running, "greet-b" if turn % 2 == 0 else "greet-a"))
            # Out of step with whatever beat the proxy may have.
            time.sleep(random.uniform(0.005, 0.03))
        return {"change_ms": statistics.median(taken), "change_max_ms": max(taken)}

    def _change(self, running, backend):
        expected = backend[-1]
        start = time.perf_counter()
        running.subject.point_switch_to(running, backend)
        while True:
            answer = _who_answers(running.ports["switch"])
            taken = time.perf_counter() - start
            if answer == expected:
                break
            if answer not in ("a", "b"):
                raise Failure("a connection was cut off while its route changed")
            if taken > PATIENCE_S:
                raise Failure(f"a changed route is not served after {PATIENCE_S} s:\n{running.log_end()}")
            time.sleep(POLL_S)
        # Whoever saw the new route must not see the old one again.
        for _ in range(5):
            if _who_answers(running.ports["switch"]) != expected:
                raise Failure("the old route was served after the new one")
        return taken * 1000
