"""Ports for proxies that have to be told theirs."""
import fcntl
import os
import pathlib
import random
import socket
import struct

_taken = set()
# The file of claims, once it is open: until the process ends.
_claims = []


def free_port():
    """A loopback port that is free now, below the kernel's ephemeral range, so that no connection takes it meanwhile, and that no
    test beside this takes while this process is there, though nothing listens at it for a time."""
    first_ephemeral = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10000, first_ephemeral)
        if port not in _taken and _can_bind(port) and _claim(port):
            _taken.add(port)
            return port


def _can_bind(port):
    with socket.socket() as probe:
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


def _claim(port):
    """Locks the port's byte of the file that Tests/TestSupport/PortClaims.swift locks, too."""
    if not _claims:
        _claims.append(os.open(f"/tmp/sluice-test-ports-{os.getuid()}", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600))
    lock = struct.pack("hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, port, 1, 0)
    try:
        fcntl.fcntl(_claims[0], fcntl.F_OFD_SETLK, lock)
    except BlockingIOError:
        return False
    return True
