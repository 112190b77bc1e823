"""Ports for proxies that have to be told theirs."""
import pathlib
import random
import socket

_taken = set()


def free_port():
    """A loopback port that is free now, below the kernel's ephemeral range, so that no connection takes it meanwhile."""
    first_ephemeral = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10000, first_ephemeral)
        if port not in _taken and _can_bind(port):
            _taken.add(port)
            return port


def _can_bind(port):
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
