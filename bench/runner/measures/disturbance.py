"""A small load that answers whether others suffer: latencies of messages at a modest rate, in an open loop."""
import contextlib

CONNECTIONS = 16
RATE = 5000


@contextlib.contextmanager
def bystanders(load, running, seconds, connections=CONNECTIONS):
    """Begins messages on connections of their own; the context's value waits until they are over, and says what came of them."""
    with load.client(running.name, "pingpong", running.target("aside"), "--gated", "--connections", connections,
                     "--rate", RATE, "--seconds", seconds) as client:
        client.answer()
        client.go_on()
        yield client.answer
