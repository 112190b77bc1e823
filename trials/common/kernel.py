"""What the kernel does to connections of its own accord."""
import pathlib


def tcp_aborts_for_memory():
    """How many connections it has reset so far because TCP had too much memory in use (net.ipv4.tcp_mem): that is of the whole
    machine, so that a flood in another network namespace ends connections here."""
    rows = [line.split() for line in pathlib.Path("/proc/net/netstat").read_text().splitlines() if line.startswith("TcpExt:")]
    return int(dict(zip(*rows))["TCPAbortOnMemory"])
